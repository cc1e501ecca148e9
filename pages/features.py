"""Features: the words and numbers that describe clips, each with the moments where it is highest."""

import random
from collections.abc import Callable

import streamlit as st

from soundalike.analysis import dimension_sets, dimension_stats, receptive_fields
from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.analysis.dimension_profile import Portrait
from soundalike.analysis.dimension_sets import TITLES, WORDS
from soundalike.errors import SoundalikeError
from soundalike.index.index import Index
from soundalike.playlist import query
from soundalike.ui import components, current_clip, session
from soundalike.ui.features import bars, clip, details, overview, parts
from soundalike.ui.features.clip import Shown
from soundalike.ui.map import state as map_state
from soundalike.ui.playlist import playlist_state

EXAMPLES = {"vgg_mel": 11708, "genre_head": 16}
EXPLANATIONS = {
    WORDS: "What two networks that tag sound call it. Most words combine outputs of both.",
    "soundalike": "The numbers that “Best match” compares: the last and the middle layers of the music "
    "tagger, and the last layer of the sound classifier.",
    "vgg_mel": "The article's numbers: where and how strongly VGG16 finds each pattern in a picture of "
    "the sound.",
    "genre_head": "The 32 features from which the article's method predicts genres.",
    "musicnn": "The last layer of the music tagger, from which it predicts its tags.",
}


def show(index: Index) -> None:
    """Draw the page."""
    store = parts.open_features(index)
    if left_out := [TITLES[name] for name in store.sets.too_large]:
        st.caption(f"Not shown because {len(index):,} tracks are too many: {', '.join(left_out)}.")
    if not store.names:
        components.show_error(
            "This index has no dimensions to show. Build one that does with `soundalike index`."
        )
        return
    prepare(store)
    parts.warm(store)
    draw_page(store)


def share() -> None:
    """Write the page's settings into the URL; defaults are left out."""
    state = st.session_state
    source = state.features_source
    session.to_url(
        {
            "by": state.features_by,
            "dimension": state.features_dimension,
            "track": state.features_track,
            "from": source if source != "library" else None,
            **{
                parameter: state.get(key) if state.get(key) != first else None
                for parameter, (key, first) in overview.SETTINGS.items()
            },
        }
    )
    current_clip.leave("features")


def prepare(store: FeatureStore) -> None:
    """Set the widgets from the URL on the first run."""
    current_clip.enter(store.index, "features")
    names = store.names
    session.from_url("features_by", "by", names, names[0])
    size = store.sets.size(st.session_state.features_by)
    if "features_dimension" not in st.session_state:
        session.from_url("features_dimension", "dimension", range(size), first_dimension(store))
    settings = overview.SETTINGS
    session.from_url("features_level", "rows", overview.LEVELS, overview.LEVELS[0])
    session.from_url("features_kind", "kind", list(dimension_stats.KINDS), settings["kind"][1])
    session.from_url("features_genre", "genre", store.groups.genres, None)
    session.from_url("features_order", "order", list(dimension_stats.ORDERS), settings["order"][1])


def first_dimension(store: FeatureStore) -> int:
    """The dimension to show of a newly chosen set: an example, or what stands out most in the track."""
    name = st.session_state.features_by
    if name in EXAMPLES:
        return EXAMPLES[name]
    asked = query.from_library(store.index, st.session_state.features_track)
    strongest = store.strongest(name, asked, 1)
    return strongest[0][0] if strongest else 0


def draw_page(store: FeatureStore) -> None:
    """Show what stands out in a clip, one dimension, and the ways to choose another one."""
    choose_set(store)
    name = st.session_state.features_by
    st.header("What stands out in this clip?", anchor=False)
    left, right = st.columns([5, 8], gap="large")
    with left:
        shown = clip.choose(store)
    with right:
        if shown is None:
            st.caption("Choose a clip, and what stands out in it will appear here.")
        else:
            bars.show(store, name, st.session_state.features_dimension, shown, go_to)
    draw_dimension(store, shown)
    overview.show(store, go_to, share)


def draw_dimension(store: FeatureStore, shown: Shown | None) -> None:
    """Show the chosen dimension."""
    choose(store)
    painted = store.portrait(st.session_state.features_by, st.session_state.features_dimension)
    left, right = st.columns([8, 5], gap="large")
    with left:
        show_label(store, painted)
        highest(store, painted)
        lowest(store, painted)
    with right:
        show_grid(store, painted)
        if not painted.dead:
            details.distribution(store, painted, shown)
    if not painted.dead:
        details.details(store, painted, go_to)


def choose_set(store: FeatureStore) -> None:
    """Choose the words, or one of the embeddings."""
    st.segmented_control(
        "Show",
        store.names,
        format_func=lambda name: TITLES[name],
        key="features_by",
        persist_state="session",
        required=True,
        on_change=reset_dimension,
        args=[store],
        label_visibility="collapsed",
        width="content",
    )
    st.caption(EXPLANATIONS[st.session_state.features_by])


def choose(store: FeatureStore) -> None:
    """Choose a dimension by its number or word, or step to another one."""
    name = st.session_state.features_by
    size = store.sets.size(name)
    here = st.session_state.features_dimension
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if name == WORDS:
            st.session_state.features_word = here
            st.selectbox(
                "Word",
                range(size),
                format_func=lambda dimension: dimension_sets.word(dimension).name,
                key="features_word",
                on_change=go_to_word,
                width=230,
            )
        else:
            st.number_input(
                f"Dimension, 0 to {size - 1:,}",
                0,
                size - 1,
                step=1,
                key="features_dimension",
                persist_state="session",
                width=190,
            )
        step("Previous", "chevron_left", go_on, store, -1)
        step("Next", "chevron_right", go_on, store, 1)
        step("Surprise me", "shuffle", surprise, store)


def step(label: str, icon: str, act: Callable[..., None], *arguments: object) -> None:
    """A button that opens another dimension."""
    key = f"features_{label.split()[0].lower()}"
    st.button(label, icon=f":material/{icon}:", key=key, on_click=act, args=arguments)


def go_on(store: FeatureStore, change: int) -> None:
    """Step from the chosen dimension to another one."""
    # Dimension and set may have been chosen since the page was drawn.
    size = store.sets.size(st.session_state.features_by)
    go_to((st.session_state.features_dimension + change) % size)


def reset_dimension(store: FeatureStore) -> None:
    """Open the first dimension of a newly chosen set."""
    go_to(first_dimension(store))


def go_to(dimension: int) -> None:
    """Open a dimension."""
    st.session_state.features_dimension = dimension


def go_to_word() -> None:
    """Open the chosen word."""
    go_to(st.session_state.features_word)


def surprise(store: FeatureStore) -> None:
    """Open a random dimension that is not the same for all clips."""
    awake = store.summary(st.session_state.features_by).awake()
    if awake:
        go_to(random.choice(awake))


def show_grid(store: FeatureStore, painted: Portrait) -> None:
    """Show where the dimension is among the others, where that has a meaning."""
    if painted.name == WORDS:
        st.header("All words", anchor=False)
        parts.word_grid(store, painted.dimension, "features_grid", go_to)
        st.caption("A stronger colour means that more tracks of the library clearly have the word.")
        return
    if painted.name == "genre_head":
        parts.grid(store, painted, "features_grid", go_to)
        st.caption(
            "The 32 features from which the genre head predicts genres. Each covers the whole picture. "
            "Stronger colours mean a higher average activation in the library."
        )
        return
    if painted.cell is None:
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


def show_label(store: FeatureStore, painted: Portrait) -> None:
    """Show the dimension's name, and what it is."""
    st.header(components.plain(painted.label()), anchor=False)
    st.caption(components.plain(" · ".join(parts.facts(store, painted))))
    if not (order := parts.order_of(store, painted)):
        return
    with st.container(horizontal=True, gap="small"):
        to_playlist = st.button(
            "Order a playlist by this", icon=":material/sort:", key="features_to_order", type="tertiary"
        )
        to_map = store.index.maps and st.button(
            "Colour the map by this",
            icon=":material/scatter_plot:",
            key="features_to_map",
            type="tertiary",
        )
    if to_playlist:
        playlist_state.order_by(store.index, order)
        session.go("recommend", st.session_state.features_track)
    if to_map:
        map_state.colour_by(order)
        session.go("map", st.session_state.features_track)


@st.fragment
def highest(store: FeatureStore, painted: Portrait) -> None:
    """Show the clips where the dimension is highest, each starting at its moment."""
    if not painted.top:
        st.caption("No clip in this library activates it, so there is nothing to play.")
        return
    all_mapped = parts.moment_list(
        store, painted, painted.top, "features_moments", "Highest first", is_high=True
    )
    st.caption(parts.how_to_read(store, painted))
    if painted.name not in parts.NETWORK_PICTURES:
        return
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


@st.fragment
def lowest(store: FeatureStore, painted: Portrait) -> None:
    """Show the clips where the dimension is lowest."""
    if not painted.least:
        return
    with st.expander("The tracks where it is lowest", key="features_lowest"):
        parts.moment_list(store, painted, painted.least, "features_least", "Lowest first", is_high=False)


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


components.page(
    "What each dimension responds to",
    "Clips are compared by words and by thousands of numbers. See which stand out in a clip, choose "
    "one, and hear the moments where it is highest.",
    show,
)
