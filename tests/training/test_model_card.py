"""The genre head's model card matches its document."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from soundalike.evaluation.metrics import Classification, classification
from soundalike.training import genre_head, model_card
from soundalike.training.genre_head import HeadScores, TrainedHead

GENRES = ["Folk", "Jazz"]
LEFT_OUT = {"Polka": "4 clips from 2 albums"}


def scored(accuracy: float, macro_f1: float, log_loss: float | None, n: int = 40) -> Classification:
    return Classification(n, accuracy, macro_f1, log_loss, [[17, 5], [6, 12]], GENRES)


def trained(labelled: bool = True) -> TrainedHead:
    tracks = pd.DataFrame(
        {
            "genre": ["Folk"] * 22 + ["Jazz"] * 18,
            "album": [f"Album {i // 3}" for i in range(40)],
            "artist": "",
        }
    )
    if labelled:
        tracks = tracks.assign(genre_source=["tagger"] * 30 + ["title"] * 10)
    untagged = {
        "genre head": scored(0.613, 0.587, 0.91, 10),
        "nearest neighbour": scored(0.5, 0.444, None, 10),
    }
    scores = (
        HeadScores(
            "genre head", scored(0.725, 0.711, 0.68), untagged["genre head"] if labelled else None
        ),
        HeadScores(
            "nearest neighbour",
            scored(0.6, 0.588, None),
            untagged["nearest neighbour"] if labelled else None,
        ),
    )
    return TrainedHead(None, None, scores, [31, 8, 22, 19], tracks, LEFT_OUT)


def card_of(result: TrainedHead, halves: bool = False) -> str:
    document = model_card.as_document(result, seed=7, halves=halves)
    return model_card.render(document, result.scores)


def table_rows(card: str) -> list[list[str]]:
    lines = [line for line in card.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_document_is_ready_for_json() -> None:
    document = model_card.as_document(trained(), seed=7, halves=True)
    assert json.loads(json.dumps(document)) == document
    assert document["genres"] == {"Folk": 22, "Jazz": 18}
    assert document["left_out"] == LEFT_OUT
    assert document["tracks"] == 40
    assert document["albums"] == 14
    assert document["label_sources"] == {"tagger": 30, "title": 10}
    assert document["folds"] == genre_head.FOLDS
    assert document["epochs"] == [31, 8, 22, 19]
    assert (document["seed"], document["halves"]) == (7, True)
    assert document["scores"][0]["all"]["accuracy"] == 0.725
    assert document["scores"][1]["untagged"]["log_loss"] is None


def test_card_has_the_figures_of_the_document() -> None:
    rows = table_rows(card_of(trained()))
    assert ["genre head", "72.5%", "0.711", "0.68"] in rows
    assert ["nearest neighbour", "60.0%", "0.588", ""] in rows
    assert ["genre head", "61.3%", "0.587", "0.91"] in rows
    assert ["nearest neighbour", "50.0%", "0.444", ""] in rows
    assert ["40 tracks", "accuracy", "macro-F1", "log loss"] in rows
    assert ["10 tracks", "accuracy", "macro-F1", "log loss"] in rows


def test_card_has_the_confusion_matrix() -> None:
    rows = table_rows(card_of(trained()))
    assert ["Folk", "17", "5"] in rows
    assert ["Jazz", "6", "12"] in rows


def test_card_names_data_and_split() -> None:
    card = card_of(trained())
    assert "40 clips from 14 albums: Folk 22, Jazz 18." in card
    assert f"{genre_head.FOLDS}-fold cross-validation" in card
    assert "album or artist" in card
    assert "Polka (4 clips from 2 albums)" in card
    assert "31, 8, 22, 19" in card
    assert "Seed 7" in card
    assert f"at least {genre_head.MIN_CLIPS} clips" in card


def test_card_states_label_source() -> None:
    card = card_of(trained())
    assert "tagger 30, title 10" in card
    assert "circular" in card
    assert "circular" not in card_of(trained(labelled=False))


@pytest.mark.parametrize(("halves", "words"), [(True, "15 s halves"), (False, "once, whole")])
def test_card_describes_examples(halves: bool, words: str) -> None:
    assert words in card_of(trained(), halves)


def test_every_heading_is_there() -> None:
    headings = [line for line in card_of(trained()).splitlines() if line.startswith("#")]
    assert headings == ["# Genre head", "## Data and split", "## Figures", "## Limits"]


def test_card_of_real_scores() -> None:
    result = classification(["Folk", "Jazz", "Jazz"], ["Folk", "Jazz", "Folk"], GENRES)
    tracks = pd.DataFrame({"genre": ["Folk", "Jazz", "Jazz"], "album": ["A", "B", "C"], "artist": ""})
    made = TrainedHead(None, None, (HeadScores("genre head", result, None),), [1], tracks, {})
    card = card_of(made)
    assert ["genre head", "66.7%", "0.667", ""] in table_rows(card)
    assert "Left out, though shown in the app: none." in card
