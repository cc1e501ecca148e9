"""Evaluate every representation of an index: genre retrieval, hubness, robustness and cost.

The measures are defined in `metrics` and `genre_retrieval` (genre), `hubness` and `robustness`. Cost is
the median time from a decoded clip to its vector over a few clips, after one warm-up and without caches,
and the size of a track's vectors in the index. Values that cannot be measured are null, with a reason.
Everything except the milliseconds is determined by the index and the seed.

No representation may profit from labels it was trained on. If the index contains tracks whose labels the
genre head was trained on, the representations that depend on it say `trained_on`, aren't tested against
others, and are evaluated a second time as `held_out`: each track is described by the head of the
cross-validation fold trained on neither it nor its album or artist, and is ranked only among the tracks
of that fold, because features of different heads cannot be compared. All other representations are
evaluated on the same queries and candidates for comparison.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from soundalike import representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.errors import AudioError, SoundalikeError
from soundalike.evaluation import genre_retrieval, hubness, rankings, robustness, robustness_changes
from soundalike.evaluation.genre_retrieval import Scores, Task, Values, rounded
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist.clip_embeddings import ClipEmbeddings

BASELINE = "vgg_genre"
"""The article's final system, the baseline of all comparisons."""
ROBUSTNESS_TRACKS = 20
HEADLINE_SHIFT = 3
"""Shift in seconds whose similarity is among the headline figures."""
TIMED_CLIPS = 3
_SETS = {
    "all": "every track that has a genre",
    "tagger": "queries whose genre an automatic tagger made, among all tracks",
    "not_tagger": "queries whose genre did not come from a tagger, among all tracks",
    "no_tagger": "queries and candidates whose genre did not come from a tagger",
}
_TRAINED_ON = (
    "Its network was trained on the genres of tracks in this index, which inflates its figures. See "
    "held_out for its figures on tracks left out of training."
)
_NOT_HELD_OUT = "It has no held-out figures because its genre part is not stored separately."

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class EvaluationPlan:
    """What to evaluate.

    Attributes
    ----------
    names : representations, in the order of the index
    skipped : requested ones that cannot be evaluated, each with `name` and `reason`
    rows : tracks for the robustness test; empty for none
    seed : random seed of the bootstrap and of the choice of tracks
    changes : changes to the tracks, the usual ones and others
    closely : representations evaluated with all changes; the rest use the usual ones
    recorded : whether changed copies are embedded as microphone recordings
    """

    names: list[str]
    skipped: list[dict[str, str]]
    rows: list[int]
    seed: int
    changes: list[str]
    closely: list[str]
    recorded: bool = False

    @property
    def changes_by_name(self) -> dict[str, list[str]]:
        """Changes to evaluate each representation with."""
        usual = list(robustness_changes.USUAL)
        return {name: self.changes if name in self.closely else usual for name in self.names}

    @property
    def steps(self) -> int:
        """Number of progress reports."""
        return 2 * len(self.names) + len(self.rows)


def plan(
    index: Index,
    names: Sequence[str] = (),
    tracks: int = ROBUSTNESS_TRACKS,
    seed: int = 0,
    changes: Sequence[str] = (),
    recorded: bool = False,
) -> EvaluationPlan:
    """Decide what to evaluate.

    Parameters
    ----------
    names : representations; all of the index by default
    tracks : number of tracks for the robustness test; 0 for none
    changes : changes besides the usual ones, as for `robustness_changes.chosen`. Each costs a network
        pass per track, so they are only applied to representations that were named, or else to the
        default one.
    recorded : whether changed copies are embedded as microphone recordings; the tracks are then by
        artists that the correction wasn't fitted on

    Raises
    ------
    IndexFolderError, UnknownRepresentationError
        If the index lacks a representation, or there is none of that name.
    KeyError
        If there is no such change.
    """
    for name in names:
        index.parts(name)
    wanted = [name for name in index.names if name in (names or index.names)]
    held = [name for name in wanted if index.has_vectors(name)]
    skipped = [
        {"name": name, "reason": "The index stores only its neighbours, not its vectors."}
        for name in wanted
        if name not in held
    ]
    closely = list(names) or [representations.default(index.names)]
    return EvaluationPlan(
        held,
        skipped,
        robustness.choose(index, tracks, seed, recorded),
        seed,
        robustness_changes.chosen(changes),
        closely,
        recorded,
    )


def evaluate(
    index: Index, plan: EvaluationPlan, models: ModelStore, on_step: OnStep = lambda label: None
) -> dict[str, Any]:
    """Evaluate the representations of an index.

    Parameters
    ----------
    index : the index
    plan : what to evaluate
    models : the networks that the index was built with; a feature cache saves network passes
    on_step : called `plan.steps` times, with the step just done

    Returns
    -------
    ready for JSON: `tracks`, `chance` (of the headline figures, with the artist filter), the sets of
    `labels`, the titles of the `changes` that were made, and a list `representations` with, for each,
    the headline figures by themselves (`name`, `dim`, `precision_at_10`,
    `precision_at_10_artist_filter`, `map_artist_filter`, `hubness_skew`, `orphans`, `coverage`,
    `shift_similarity`, `ms_per_track`, `bytes_per_track`, `trained_on`) and all of them under `genre`,
    `by_genre`, `held_out`, `hubness`, `robustness` and `cost`; and what was `skipped`

    Raises
    ------
    LibraryError
        If the tracks have no genres or artists, or are too few.
    IndexFolderError, ModelError
        If robustness is requested and the networks are missing or don't match the index.
    """
    task = genre_retrieval.task(index)
    baseline = _baseline(index, task)
    parts = {}
    for name in plan.names:
        parts[name] = _measure(index, name, task, baseline, plan.seed)
        on_step(name)
    known_again = {}
    if plan.rows and plan.names:
        prepare = robustness.as_recorded if plan.recorded else ClipEmbeddings
        known_again = robustness.measure(
            index, plan.changes_by_name, plan.rows, models, on_step, prepare
        )
    clips = _clips(index, plan.seed)
    timed = index.models(ModelStore())
    documents = []
    for name in plan.names:
        cost = {"bytes_per_track": rankings.bytes_per_track(index, name)} | _time(name, clips, timed)
        whole = parts[name] | {"robustness": known_again.get(name), "cost": cost}
        dim = index.manifest["representations"][name]["dim"]
        documents.append(_headline(name, dim, whole, task.headline) | whole)
        on_step(name)
    return {
        "tracks": len(index),
        "chance": documents[0]["chance"] if documents else None,
        "baseline": None if baseline is None else BASELINE,
        "recorded": plan.recorded,
        "labels": _labels(task),
        "seed": plan.seed,
        "changes": _titles(known_again),
        "representations": documents,
        "skipped": plan.skipped,
    }


@dataclass(frozen=True)
class _Measured:
    """Scores of one representation over the whole index and held out, and whether it saw the labels."""

    scores: Scores
    held_out: Values
    trained_on: bool


def _score(index: Index, name: str, task: Task) -> _Measured:
    return _Measured(
        genre_retrieval.score(index, name, task),
        genre_retrieval.score_held_out(index, name, task),
        rankings.trained_on_labels(index, name),
    )


def _baseline(index: Index, task: Task) -> _Measured | None:
    if BASELINE not in index.names or not index.has_vectors(BASELINE):
        return None
    return _score(index, BASELINE, task)


def _measure(
    index: Index, name: str, task: Task, baseline: _Measured | None, seed: int
) -> dict[str, Any]:
    """All results that need only the index."""
    own = baseline if baseline is not None and name == BASELINE else _score(index, name, task)
    rival = None if name == BASELINE else baseline
    fair = rival is not None and not rival.trained_on and not own.trained_on
    measured_hubness = asdict(hubness.hubness(own.scores.neighbours, len(index)))
    notes = [_TRAINED_ON] if own.trained_on else []
    notes += [_NOT_HELD_OUT] if own.trained_on and not own.held_out else []
    return {
        "trained_on": own.trained_on,
        "notes": notes,
        "genre": genre_retrieval.figures(
            task, own.scores.values, rival.scores.values if rival and fair else None, seed
        ),
        "by_genre": genre_retrieval.by_genre(task, own.scores.values, seed),
        "held_out": genre_retrieval.figures(task, own.held_out, rival.held_out if rival else None, seed)
        or None,
        "hubness": {"k": genre_retrieval.PLAYLIST}
        | {key: rounded(value) for key, value in measured_hubness.items()},
    }


def _titles(known_again: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Titles of the changes that were made, by name."""
    made = {change for of_change in known_again.values() for change in of_change}
    changes = robustness_changes.CHANGES
    return {name: change.title for name, change in changes.items() if name in made}


def _headline(name: str, dim: int, whole: dict[str, Any], label: str) -> dict[str, Any]:
    """The headline figures, one value each."""
    representation = representations.get(name)
    plain, filtered = (whole["genre"][label]["filters"][kind] for kind in ("none", "artist"))
    held_out = (whole["held_out"] or {}).get(label)
    shift = (whole["robustness"] or {}).get(f"shift_{HEADLINE_SHIFT}_s", {})
    return {
        "name": name,
        "title": representation.title,
        "dim": dim,
        "chance": filtered["chance"],
        "precision_at_10": plain["precision_at_10"]["mean"],
        "precision_at_10_interval": _interval(plain["precision_at_10"]),
        "precision_at_10_artist_filter": filtered["precision_at_10"]["mean"],
        "precision_at_10_artist_filter_interval": _interval(filtered["precision_at_10"]),
        "map_artist_filter": filtered["map"]["mean"],
        "map_artist_filter_interval": _interval(filtered["map"]),
        "precision_at_10_held_out": _held_out(held_out, "precision_at_10"),
        "against_baseline": (held_out or whole["genre"][label])["against_baseline"],
        "hubness_skew": whole["hubness"]["skew"],
        "orphans": whole["hubness"]["orphans"],
        "coverage": whole["hubness"]["coverage"],
        "shift_similarity": (shift.get("similarity") or {}).get("mean"),
        "shift_ranked_first": shift.get("ranked_first"),
        "ms_per_track": whole["cost"]["ms_per_track"],
        "bytes_per_track": whole["cost"]["bytes_per_track"],
    }


def _interval(figure: dict[str, Any]) -> list[float | None]:
    return [figure["low"], figure["high"]]


def _held_out(figures: dict[str, Any] | None, metric: str) -> dict[str, Any] | None:
    if figures is None:
        return None
    filtered: dict[str, Any] = figures["filters"]["artist"]
    return {**filtered[metric], "chance": filtered["chance"]}


def _labels(task: Task) -> dict[str, Any]:
    sets = {
        name: {
            "is": _SETS[name],
            "queries": int(labels.queries.sum()),
            "candidates": int(labels.candidates.sum()),
        }
        for name, labels in task.labels.items()
    }
    genres = {name: int((task.genres == number).sum()) for number, name in enumerate(task.names)}
    return {"headline": task.headline, "sets": sets, "genres": genres}


def _clips(index: Index, seed: int) -> list[Clip]:
    """A few windows for timing, the first one for the warm-up."""
    clips: list[Clip] = []
    for row in robustness.choose(index, 2 * (TIMED_CLIPS + 1), seed):
        if len(clips) > TIMED_CLIPS:
            break
        try:
            clips.append(analysis_window(decoding.decode(index.path(row))))
        except AudioError:
            continue
    return clips


def _time(name: str, clips: Sequence[Clip], models: ModelStore) -> dict[str, Any]:
    """Median milliseconds from a decoded clip to its vector; None with a reason if it fails."""
    if len(clips) < 2:
        return {"ms_per_track": None, "reason": "The audio of the tracks is not at hand."}
    taken = []
    for clip in clips:
        # A new clip for each run, because intermediate results are cached with the clip.
        fresh = replace(clip)
        start = time.perf_counter()
        try:
            representations.get(name).embed(fresh, models)
        except SoundalikeError as error:
            return {"ms_per_track": None, "reason": str(error)}
        taken.append(1_000 * (time.perf_counter() - start))
    return {"ms_per_track": round(statistics.median(taken[1:]), 1), "clips": len(taken) - 1}
