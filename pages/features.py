"""Features: what each dimension of the embedding listens for, with the moments that set it off."""

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
from soundalike.ui import components, palette, state, track_picker
from soundalike.ui.features import charts, parts

FIRST = {"vgg_mel": 11708, "genre_head": 16}
RELATIVES = 5
STRONGEST = 10
ROWS_SHOWN = 200
BARE = {"displayModeBar": False}
LEVELS = ["dimensions", "channels"]
# The parameter of the URL, the widget's key, and what it is at first.
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
        st.caption(f"Too large to look through here: {', '.join(left_out)}, for {len(index):,} tracks.")
    if not store.names:
        components.show_error(
            "This index has no dimensions to show; `soundalike index --representation genre_head` "
            "makes one that has."
        )
        return
    prepare(store)
    parts.warm(store)
    draw_page(store)
    share()


def share() -> None:
    """Put what is on screen into the URL; what is as at a first visit is left out."""
    session = st.session_state
    state.to_url(
        {
            "by": session.features_by,
            "dimension": session.features_dimension,
            "track": session.features_track,
            **{
                parameter: session.get(key) if session.get(key) != first else None
                for parameter, (key, first) in OVERVIEW.items()
            },
        }
    )


def prepare(store: FeatureStore) -> None:
    """Set the widgets from the URL on the first run."""
    names = store.names
    state.from_url("features_by", "by", names, names[0])
    first = FIRST.get(st.session_state.features_by, 0)
    size = representations.get(st.session_state.features_by).dim
    state.from_url("features_dimension", "dimension", range(size), first)
    state.track_from_url(store.index, "features_track")
    state.from_url("features_level", "rows", LEVELS, LEVELS[0])
    state.from_url("features_kind", "kind", list(dimension_stats.KINDS), OVERVIEW["kind"][1])
    state.from_url("features_genre", "genre", store.groups.genres, None)
    state.from_url("features_order", "order", list(dimension_stats.ORDERS), OVERVIEW["order"][1])


def draw_page(store: FeatureStore) -> None:
    """The dimension that is chosen, and the ways to choose another."""
    choose(store)
    painted = store.portrait(st.session_state.features_by, st.session_state.features_dimension)
    left, right = st.columns([8, 5], gap="large")
    with left:
        name_it(painted)
        moments(store, painted)
        relatives(store, painted)
    with right:
        place(store, painted)
        if not painted.dead:
            spread(store, painted)
            genres(store, painted)
            descriptors(painted)
    fires(store)
    overview(store)


def choose(store: FeatureStore) -> None:
    """Representation and number, and steps from there."""
    names = store.names
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.segmented_control(
            "Embedding",
            names,
            format_func=lambda name: representations.get(name).title,
            key="features_by",
            persist_state="session",
            required=True,
            on_change=start_again,
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
    """A button that leads to another dimension."""
    key = f"features_{label.split()[0].lower()}"
    st.button(label, icon=f":material/{icon}:", key=key, on_click=act, args=[argument])


def start_again() -> None:
    """Another embedding has other dimensions: begin with its first."""
    go_to(FIRST.get(st.session_state.features_by, 0))


def go_to(dimension: int) -> None:
    """Look at a dimension."""
    st.session_state.features_dimension = dimension


def surprise(store: FeatureStore) -> None:
    """Look at any dimension that at least one clip sets off."""
    awake = store.summary(st.session_state.features_by).awake()
    if awake:
        go_to(random.choice(awake))


def place(store: FeatureStore, painted: Portrait) -> None:
    """The network's grid, and where in it the dimension is."""
    if painted.cell is None:
        parts.grid(store, painted, "features_grid", go_to)
        st.caption(
            "The 32 features that the genre head tells genres by; each reads the whole picture. The "
            "stronger the colour, the higher its mean activation over the library."
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
        f"{painted.cell.channel}, high frequencies on top. The stronger the colour, the higher the mean "
        "activation over the library. "
        f"The chosen cell covers {receptive_fields.share(painted.cell).words}. "
        f"Its full receptive field is {field.words}, strongest in the centre."
    )


def change_channel(cell: receptive_fields.Cell) -> None:
    """Look at another channel's dimension in the same cell."""
    go_to(receptive_fields.Cell(cell.band, cell.time, st.session_state.features_channel).dimension)


def name_it(painted: Portrait) -> None:
    """The suggested label, and what it rests on."""
    st.header(components.plain(painted.label()), anchor=False)
    facts = [f"Dimension {painted.dimension:,}"]
    if not painted.dead:
        facts.append(f"not zero for {painted.active:,} of {len(painted.values):,} clips")
    facts += [
        f"{genre} {enrichment:+.1f} ± {charts.INTERVAL * error:.1f} sd"
        for genre, enrichment, error in painted.genres
    ]
    facts += [f"{found.descriptor.name} r = {found.correlation:+.2f}" for found in painted.telling]
    st.caption(components.plain(" · ".join(facts)))


@st.fragment
def moments(store: FeatureStore, painted: Portrait) -> None:
    """The clips that set the dimension off most, each from its moment."""
    if not painted.top:
        st.caption("No clip of this library sets it off, so there is nothing to hear.")
        return
    all_mapped = parts.moment_list(store, painted, "features_moments")
    if painted.cell is not None:
        st.caption(
            "Solid box: the cell, where the clip starts to play. Dashed: all that the cell can see. "
            "Beside each clip its activation, and how many standard deviations that lies above the mean."
        )
    else:
        trained = (
            " The genre head was trained on these clips, so its features fit them better than new ones."
        )
        if not store.index.heard_in_training:
            trained = ""
        st.caption(
            "Beside each clip its activation, and how many standard deviations that lies above the "
            f"mean.{trained}"
        )
    if all_mapped:
        st.caption(
            "Blue: where the channel itself is active, from the network."
            if painted.cell is not None
            else "Blue: where the feature falls when that part of the picture is silenced. "
            "The clip starts where it falls most."
        )
        return
    if st.button("Look inside the network", icon=":material/troubleshoot:", key="features_inside"):
        look_inside(store, painted)


def look_inside(store: FeatureStore, painted: Portrait) -> None:
    """Run the network on the clips on screen, saying which."""
    message = ""
    with st.status("Loading the network …") as status:
        try:
            for number, row in enumerate(painted.top, start=1):
                title = components.plain(str(store.index.tracks["title"].iloc[row]))
                status.update(label=f"Clip {number} of {len(painted.top)}: {title} …")
                store.look_inside(row)
        except SoundalikeError as error:
            message = str(error)
    if message:
        components.show_error(message)
        return
    st.rerun(scope="fragment")


def spread(store: FeatureStore, painted: Portrait) -> None:
    """The distribution over the library."""
    st.header("Over the library", anchor=False)
    row = store.index.row(st.session_state.features_track)
    numbers, value = painted.summary, float(painted.values[row])
    text = (
        f"Activation of {len(painted.values):,} clips: mean {numbers.mean[0]:.2f}, standard deviation "
        f"{numbers.deviation[0]:.2f}, largest {numbers.largest[0]:.2f}, exactly zero for "
        f"{numbers.zeros[0]:.0%} (grey). The dotted line is “{store.index.tracks['title'].iloc[row]}”, "
        f"the track below, at {value:.2f}."
    )
    draw(charts.distribution(painted.values, value), text, "features_spread")


def genres(store: FeatureStore, painted: Portrait) -> None:
    """The mean activation of each genre, with its uncertainty."""
    st.header("By genre", anchor=False)
    known = store.groups
    styles = palette.of(store.index)
    mean = float(painted.summary.mean[0])
    figure = charts.genre_profile(known.genres, painted.means, painted.errors, mean, styles)
    highest = known.genres[int(painted.means.argmax())] if known.genres else "none"
    text = (
        f"Mean activation of each genre with its 95 % interval; {highest} is the highest. The dashed "
        "line is the library's mean. Each artist counts once. A genre stands out if it has at least "
        f"{dimension_stats.MIN_TRACKS} clips by {dimension_stats.MIN_ARTISTS} artists and lies at least "
        f"{dimension_stats.GENRE_SDS:g} standard deviations and "
        f"{dimension_stats.GENRE_ERRORS:g} standard errors above the library."
    )
    draw(figure, text, "features_genres")


def descriptors(painted: Portrait) -> None:
    """How the dimension goes with what can be measured of a clip."""
    if not painted.findings:
        return
    st.header("By measured sound", anchor=False)
    closest = painted.findings[0]
    text = (
        f"Correlation with properties of the clips, with 99 % intervals: closest is "
        f"{closest.descriptor.name}, r = {closest.correlation:.2f}. Coloured bars are clear enough to "
        "name the dimension by."
    )
    draw(charts.descriptor_bars(painted.findings), text, "features_descriptors")


def draw(figure: go.Figure, text: str, key: str) -> None:
    """A figure, and the same in words."""
    st.plotly_chart(figure, config=BARE, key=key, alt=text)
    st.caption(components.plain(text))


def relatives(store: FeatureStore, painted: Portrait) -> None:
    """The most similar and the most opposite dimensions."""
    if painted.dead:
        return
    similar, opposite = store.relatives(painted, RELATIVES)
    st.header("Most similar", anchor=False)
    related("Most similar dimensions", similar, painted.name, "features_similar")
    st.header("Most opposite", anchor=False)
    related("Most opposite dimensions", opposite, painted.name, "features_opposite")
    others = ", among other channels" if painted.cell is not None else ""
    st.caption(f"By correlation over the library{others}.")


def related(label: str, found: list[tuple[int, float]], name: str, key: str) -> None:
    """Dimensions with their correlations, each a way to go there."""
    items = [(dimension, r, f"{r:+.2f}") for dimension, r in found]
    parts.dimension_list(label, items, name, 1.0, key, go_to)


def fires(store: FeatureStore) -> None:
    """What fires for one track: its strongest dimensions against the library."""
    st.header("What fires for this track?", anchor=False)
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
            "Its strongest dimensions, in standard deviations above the library's mean. Dimensions that "
            f"are zero for {dimension_stats.SPARSE:.0%} of the clips or more are left out."
        )


@st.fragment
def overview(store: FeatureStore) -> None:
    """All dimensions in a table, to narrow down, sort and choose from."""
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
        "Genre that stands out",
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
        st.caption("No dimension is like that.")
        return
    draw_table(store, table, level)
    st.caption(
        f"The first {len(table)} of {count:,}; choose a row to look at it. Band 0 "
        "is the highest of five, time 0 the first of ten. The enrichment is that of the genre furthest "
        "above the library, named only where it stands out."
    )


def counted(summary: dimension_stats.Summary, level: str) -> str:
    """How many are silent, sparse and genre-like, in a sentence with the rules."""
    size = len(summary.mean)
    return (
        f"Of {size:,} {level}, {int(summary.dead.sum()):,} are silent (the same for every clip), "
        f"{int(summary.sparse.sum()):,} sparse (zero for at least {dimension_stats.SPARSE:.0%} of the "
        f"clips) and {int(summary.genre_like.sum()):,} genre-like (a genre stands out, by the rule "
        "above)."
    )


def draw_table(store: FeatureStore, table: dimension_stats.Table, level: str) -> None:
    """Dimensions or channels as a table; a chosen row becomes the dimension that is looked at."""

    def chosen() -> None:
        rows = st.session_state.features_table.selection.rows
        if rows:
            number = int(table[level.removesuffix("s")].iloc[rows[0]])
            go_to(store.loudest_cell(number) if level == "channels" else number)
            st.session_state.features_followed = True

    st.dataframe(
        table,
        hide_index=True,
        height=320,
        key="features_table",
        on_select=chosen,
        selection_mode="single-row",
        alt=f"{level.capitalize()} with their activation and the genre that stands out in them",
        column_config={
            **{
                name: st.column_config.NumberColumn(name.capitalize(), format="%d")
                for name in ("dimension", "band", "time", "channel")
            },
            "mean": st.column_config.NumberColumn("Mean activation", format="%.2f"),
            "zeros": st.column_config.NumberColumn("Zeros", format="percent"),
            "genre": "Genre that stands out",
            "enrichment": st.column_config.NumberColumn("Enrichment (sd)", format="%.2f"),
        },
    )
    if st.session_state.pop("features_followed", False):
        st.rerun()


components.page(
    "What each dimension listens for",
    "A clip is compared by thousands of numbers, one for each thing that the network answers to. "
    "Choose one of them and hear the clips, and the very moments, that set it off.",
    show,
)
