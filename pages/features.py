"""Features: the pattern that each embedding dimension responds to, with the moments that activate it."""

import random
from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from soundalike import representations
from soundalike.analysis import dimension_stats, receptive_fields
from soundalike.analysis.dimension_cache import CHANNELS, FeatureStore
from soundalike.analysis.dimension_profile import Portrait
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.ui import components, incoming, palette, session, track_picker
from soundalike.ui.features import charts, parts

FIRST = {"vgg_mel": 11708, "genre_head": 16}
RELATIVES = 5
STRONGEST = 10
ROWS_SHOWN = 200
BARE = {"displayModeBar": False}
LEVELS = ["dimensions", "channels"]
# URL parameter: widget key and default.
OVERVIEW = {
    "rows": ("features_level", LEVELS[0]),
    "kind": ("features_kind", next(iter(dimension_stats.KINDS))),
    "genre": ("features_genre", None),
    "order": ("features_order", next(iter(dimension_stats.ORDERS))),
}


def show(index: Index) -> None:
    """Draw the page."""
    store = parts.open_features(index)
    if left_out := [representations.get(name).title for name in store.too_large]:
        st.caption(f"Not shown because {len(index):,} tracks are too many: {', '.join(left_out)}.")
    if not store.names:
        components.show_error(
            "This index has no dimensions to show. Build one that does with `soundalike index "
            "--representation genre_head`."
        )
        return
    prepare(store)
    parts.warm(store)
    draw_page(store)
    share()


def share() -> None:
    """Write the page's settings into the URL; defaults are left out."""
    state = st.session_state
    session.to_url(
        {
            "by": state.features_by,
            "dimension": state.features_dimension,
            "track": state.features_track,
            **{
                parameter: state.get(key) if state.get(key) != first else None
                for parameter, (key, first) in OVERVIEW.items()
            },
        }
    )


def prepare(store: FeatureStore) -> None:
    """Set the widgets from the URL on the first run."""
    names = store.names
    session.from_url("features_by", "by", names, names[0])
    first = FIRST.get(st.session_state.features_by, 0)
    size = representations.get(st.session_state.features_by).dim
    session.from_url("features_dimension", "dimension", range(size), first)
    session.track_from_url(store.index, "features_track")
    session.from_url("features_level", "rows", LEVELS, LEVELS[0])
    session.from_url("features_kind", "kind", list(dimension_stats.KINDS), OVERVIEW["kind"][1])
    session.from_url("features_genre", "genre", store.groups.genres, None)
    session.from_url("features_order", "order", list(dimension_stats.ORDERS), OVERVIEW["order"][1])


def draw_page(store: FeatureStore) -> None:
    """Show the chosen dimension, and the ways to choose another one."""
    choose(store)
    painted = store.portrait(st.session_state.features_by, st.session_state.features_dimension)
    left, right = st.columns([8, 5], gap="large")
    with left:
        show_label(painted)
        moments(store, painted)
        relatives(store, painted)
    with right:
        show_grid(store, painted)
        if not painted.dead:
            distribution(store, painted)
            genres(store, painted)
            descriptors(painted)
    strongest_dimensions(store)
    overview(store)


def choose(store: FeatureStore) -> None:
    """Choose an embedding and a dimension, or step to another dimension."""
    names = store.names
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.segmented_control(
            "Embedding",
            names,
            format_func=lambda name: representations.get(name).title,
            key="features_by",
            persist_state="session",
            required=True,
            on_change=reset_dimension,
            width="content",
        )
        size = representations.get(st.session_state.features_by).dim
        st.number_input(
            f"Dimension, 0 to {size - 1:,}",
            0,
            size - 1,
            step=1,
            key="features_dimension",
            persist_state="session",
            width=190,
        )
        here = st.session_state.features_dimension
        step("Previous", "chevron_left", go_to, (here - 1) % size)
        step("Next", "chevron_right", go_to, (here + 1) % size)
        step("Surprise me", "shuffle", surprise, store)


def step(label: str, icon: str, act: Callable[..., None], argument: object) -> None:
    """A button that opens another dimension."""
    key = f"features_{label.split()[0].lower()}"
    st.button(label, icon=f":material/{icon}:", key=key, on_click=act, args=[argument])


def reset_dimension() -> None:
    """Open the default dimension of a newly chosen embedding."""
    go_to(FIRST.get(st.session_state.features_by, 0))


def go_to(dimension: int) -> None:
    """Open a dimension."""
    st.session_state.features_dimension = dimension


def surprise(store: FeatureStore) -> None:
    """Open a random dimension that is active for at least one clip."""
    awake = store.summary(st.session_state.features_by).awake()
    if awake:
        go_to(random.choice(awake))


def show_grid(store: FeatureStore, painted: Portrait) -> None:
    """Show the network's grid with the dimension's cell selected."""
    if painted.cell is None:
        parts.grid(store, painted, "features_grid", go_to)
        st.caption(
            "The 32 features from which the genre head predicts genres. Each covers the whole picture. "
            "Stronger colours mean a higher average activation in the library."
        )
        return
    st.session_state.features_channel = painted.cell.channel
    st.number_input(
        f"Channel, 0 to {receptive_fields.CHANNELS - 1}, in the same cell",
        0,
        receptive_fields.CHANNELS - 1,
        step=1,
        key="features_channel",
        on_change=change_channel,
        args=[painted.cell],
    )
    parts.grid(store, painted, "features_grid", go_to)
    field = receptive_fields.field_of_view(painted.cell)
    st.caption(
        f"The {receptive_fields.BANDS * receptive_fields.TIMES} cells of channel "
        f"{painted.cell.channel:d}, high frequencies at the top. Stronger colours mean a higher average "
        "activation in the library. "
        f"The selected cell covers {components.plain(receptive_fields.share(painted.cell).words)}. "
        f"Its full receptive field is {components.plain(field.words)}, strongest in the centre."
    )


def change_channel(cell: receptive_fields.Cell) -> None:
    """Open another channel's dimension in the same cell."""
    go_to(receptive_fields.Cell(cell.band, cell.time, st.session_state.features_channel).dimension)


def show_label(painted: Portrait) -> None:
    """Show the suggested label and the measurements behind it."""
    st.header(components.plain(painted.label()), anchor=False)
    facts = [f"Dimension {painted.dimension:,}"]
    if not painted.dead:
        facts.append(f"active (non-zero) for {painted.active:,} of {len(painted.values):,} clips")
    facts += [
        f"{genre} {enrichment:+.1f} ± {charts.INTERVAL * error:.1f} sd"
        for genre, enrichment, error in painted.genres
    ]
    facts += [f"{found.descriptor.name} r = {found.correlation:+.2f}" for found in painted.telling]
    st.caption(components.plain(" · ".join(facts)))


@st.fragment
def moments(store: FeatureStore, painted: Portrait) -> None:
    """Show the clips that activate the dimension most, each starting at its moment."""
    if not painted.top:
        st.caption("No clip in this library activates it, so there is nothing to play.")
        return
    all_mapped = parts.moment_list(store, painted, "features_moments")
    if painted.cell is not None:
        st.caption(
            "Solid box: the cell, where playback starts. Dashed box: the cell's receptive field. The "
            "numbers are each clip's activation and how far above average it is, in standard deviations."
        )
    else:
        trained = ""
        if store.index.heard_in_training:
            trained = " The genre head was trained on these clips, so it fits them better than new ones."
        st.caption(
            "The numbers are each clip's activation and how far above average it is, in standard "
            f"deviations.{trained}"
        )
    if all_mapped:
        st.caption(
            "Blue: where the channel is active in the network."
            if painted.cell is not None
            else "Blue: where silencing that part of the picture lowers the feature. "
            "The clip starts where the effect is largest."
        )
        return
    if st.button("Look inside the network", icon=":material/troubleshoot:", key="features_inside"):
        look_inside(store, painted)


def look_inside(store: FeatureStore, painted: Portrait) -> None:
    """Run the network on the clips on screen, with a progress message."""
    message = ""
    with st.status("Loading the network …") as status:
        try:
            for number, row in enumerate(painted.top, start=1):
                title = components.plain(str(store.index.tracks["title"].iloc[row]))
                status.update(label=f"Clip {number:d} of {len(painted.top)}: {title} …")
                store.look_inside(row)
        except SoundalikeError as error:
            message = str(error)
    if message:
        components.show_error(message)
        return
    st.rerun()


def distribution(store: FeatureStore, painted: Portrait) -> None:
    """Show the dimension's distribution in the library."""
    st.header("Across the library", anchor=False)
    row = store.index.row(st.session_state.features_track)
    numbers, value = painted.summary, float(painted.values[row])
    text = (
        f"Activation of {len(painted.values):,} clips: mean {numbers.mean[0]:.2f}, standard deviation "
        f"{numbers.deviation[0]:.2f}, largest {numbers.largest[0]:.2f}, exactly zero for "
        f"{numbers.zeros[0]:.0%} (grey). The dotted line marks the track chosen below, "
        f"“{store.index.tracks['title'].iloc[row]}”, at {value:.2f}."
    )
    draw(charts.distribution(painted.values, value), text, "features_spread")


def genres(store: FeatureStore, painted: Portrait) -> None:
    """Show the mean activation of each genre, with its confidence interval."""
    st.header("By genre", anchor=False)
    known = store.groups
    styles = palette.of(store.index)
    mean = float(painted.summary.mean[0])
    figure = charts.genre_profile(known.genres, painted.means, painted.errors, mean, styles)
    highest = known.genres[int(painted.means.argmax())] if known.genres else "none"
    text = (
        f"Mean activation of each genre with its 95 % interval; {highest} is highest. The dashed line "
        "is the library's mean. Each artist counts once. A genre stands out if it has at least "
        f"{dimension_stats.MIN_TRACKS} clips by {dimension_stats.MIN_ARTISTS} artists and is at least "
        f"{dimension_stats.GENRE_SDS:g} standard deviations and "
        f"{dimension_stats.GENRE_ERRORS:g} standard errors above the library's mean."
    )
    draw(figure, text, "features_genres")


def descriptors(painted: Portrait) -> None:
    """Show the dimension's correlation with measured properties of the clips."""
    if not painted.findings:
        return
    st.header("By measured property", anchor=False)
    closest = painted.findings[0]
    text = (
        f"Correlation with properties of the clips, with 99 % intervals. The strongest is "
        f"{closest.descriptor.name}, r = {closest.correlation:.2f}. Coloured bars are strong enough to "
        "label the dimension."
    )
    draw(charts.descriptor_bars(painted.findings), text, "features_descriptors")


def draw(figure: go.Figure, text: str, key: str) -> None:
    """Show a figure and its description."""
    st.plotly_chart(figure, config=BARE, key=key, alt=text)
    st.caption(components.plain(text))


def relatives(store: FeatureStore, painted: Portrait) -> None:
    """Show the most similar and the most opposite dimensions."""
    if painted.dead:
        return
    similar, opposite = store.relatives(painted, RELATIVES)
    st.header("Most similar", anchor=False)
    related("Most similar dimensions", similar, painted.name, "features_similar")
    st.header("Most opposite", anchor=False)
    related("Most opposite dimensions", opposite, painted.name, "features_opposite")
    others = ", in other channels only" if painted.cell is not None else ""
    st.caption(f"By correlation across the library{others}.")


def related(label: str, found: list[tuple[int, float]], name: str, key: str) -> None:
    """List dimensions with their correlations; clicking one opens it."""
    items = [(dimension, r, f"{r:+.2f}") for dimension, r in found]
    parts.dimension_list(label, items, name, 1.0, key, go_to)


def strongest_dimensions(store: FeatureStore) -> None:
    """Show one track's strongest dimensions relative to the library."""
    st.header("Strongest dimensions of a track", anchor=False)
    index = store.index
    left, right = st.columns([5, 8], gap="large")
    with left:
        track_picker.choose_track(index, "Track", "features_track")
        row = index.row(st.session_state.features_track)
        track = components.track_of(index, row)
        styles = palette.of(index)
        components.card(track, styles.get(track.genre), "features_card")
        components.navigation_buttons(track.id, "features", "features_onward")
    with right:
        name = st.session_state.features_by
        found = store.strongest(name, row, STRONGEST)
        ceiling = max([score for _, score in found], default=1.0)
        items = [(dimension, score, f"{score:+.1f} sd") for dimension, score in found]
        label = "The track's strongest dimensions"
        parts.dimension_list(label, items, name, ceiling, "features_strongest", go_to)
        st.caption(
            "The track's strongest dimensions, in standard deviations above the library's mean, without "
            f"dimensions that are zero for at least {dimension_stats.SPARSE:.0%} of the clips."
        )


@st.fragment
def overview(store: FeatureStore) -> None:
    """Show all dimensions in a table that can be filtered and sorted."""
    st.header("All dimensions", anchor=False)
    by = st.session_state.features_by
    level: str | None = LEVELS[0]
    if by == "vgg_mel":
        level = st.segmented_control(
            "Rows",
            LEVELS,
            format_func=str.capitalize,
            key="features_level",
            persist_state="session",
            required=True,
            label_visibility="collapsed",
        )
    level = level or LEVELS[0]
    name = CHANNELS if level == "channels" else by
    summary = store.summary(name)
    st.caption(counted(summary, level))
    first, second, third = st.columns(3)
    kind = first.selectbox(
        "Show",
        list(dimension_stats.KINDS),
        format_func=lambda kind: dimension_stats.KINDS[kind],
        key="features_kind",
        persist_state="session",
    )
    genre = second.selectbox(
        "Outstanding genre",
        [None, *summary.groups.genres],
        format_func=lambda genre: genre or "Any",
        key="features_genre",
        persist_state="session",
    )
    order = third.selectbox(
        "Sort by",
        list(dimension_stats.ORDERS),
        format_func=lambda order: dimension_stats.ORDERS[order],
        key="features_order",
        persist_state="session",
    )
    share()
    table, count = store.overview(name, kind, genre, order, ROWS_SHOWN)
    if not count:
        st.caption("No dimensions match these filters.")
        return
    draw_table(store, table, level)
    st.caption(
        f"Showing {len(table)} of {count:,}. Select a row to open it. Band 0 is the highest of five, "
        "time 0 the first of ten. Enrichment is for the genre furthest above the library's mean, which "
        "is named only if it stands out."
    )


def counted(summary: dimension_stats.Summary, level: str) -> str:
    """Say how many dimensions are silent, sparse and genre-like, with the rules."""
    size, sparse = len(summary.mean), f"{dimension_stats.SPARSE:.0%}"
    return (
        f"{size:,} {components.plain(level)}: {int(summary.dead.sum()):,} are silent (the same for "
        f"every clip), {int(summary.sparse.sum()):,} are sparse (zero for at least {sparse} of the "
        f"clips) and {int(summary.genre_like.sum()):,} are genre-like (a genre stands out, by the rule "
        "above)."
    )


def draw_table(store: FeatureStore, table: dimension_stats.Table, level: str) -> None:
    """Show dimensions or channels as a table; selecting a row opens its dimension."""

    def chosen() -> None:
        place = incoming.row(st.session_state.get("features_table"), range(len(table)))
        if place is not None:
            number = int(table[level.removesuffix("s")].iloc[place])
            go_to(store.loudest_cell(number) if level == "channels" else number)
            st.session_state.features_followed = True

    st.dataframe(
        table,
        hide_index=True,
        height=320,
        key="features_table",
        on_select=chosen,
        selection_mode="single-row",
        alt=f"{level.capitalize()} with their activation and outstanding genre",
        column_config={
            **{
                name: st.column_config.NumberColumn(name.capitalize(), format="%d")
                for name in ("dimension", "band", "time", "channel")
            },
            "mean": st.column_config.NumberColumn("Mean activation", format="%.2f"),
            "zeros": st.column_config.NumberColumn("Zeros", format="percent"),
            "genre": "Outstanding genre",
            "enrichment": st.column_config.NumberColumn("Enrichment (sd)", format="%.2f"),
        },
    )
    if st.session_state.pop("features_followed", False):
        st.rerun()


components.page(
    "What each dimension responds to",
    "Clips are compared by thousands of numbers, one for each pattern the network responds to. "
    "Choose one and hear the clips and the exact moments that activate it most.",
    show,
)
