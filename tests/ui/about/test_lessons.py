"""The About page run by Streamlit's own test driver, without a browser."""

from __future__ import annotations

from pathlib import Path

import address
import pytest
from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).resolve().parents[3] / "pages" / "about.py"
SECTIONS = {
    "overview": "What Soundalike does",
    "sound": "Sound",
    "digital": "Digital audio",
    "hearing": "Hearing",
    "pitch": "Frequency and pitch",
    "spectrograms": "Spectrograms",
    "data": "Data and licences",
    "models": "Models",
    "evaluation": "Evaluation",
    "limits": "Limits",
    "privacy": "Privacy",
}


def run(**query: str) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def captions(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


@pytest.mark.parametrize("name", list(SECTIONS))
def test_each_section_opens_from_the_url(name: str) -> None:
    page = run(section=name)
    assert [header.value for header in page.header] == [SECTIONS[name]]
    assert address.parameters(page)["section"] in (name, [name])
    assert not page.error


def test_settings_come_from_the_url() -> None:
    page = run(section="sound", shape="square", hz="100", level="-24")
    assert page.slider(key="about_hz").value == 100
    assert "lines at 100, 300 and 500 Hz" in captions(page)
    assert "amplitude of 0.063" in captions(page)


@pytest.mark.parametrize("hz", ["49", "441", "x", "", "1e3"])
def test_a_frequency_that_is_not_offered_falls_back(hz: str) -> None:
    assert run(section="sound", hz=hz).slider(key="about_hz").value == 440


def test_a_section_that_is_not_there_is_the_first() -> None:
    assert run(section="nowhere").header[0].value == "What Soundalike does"


@pytest.mark.parametrize(
    ("tone", "said"),
    [
        ("3000", "3,000 Hz is below the Nyquist frequency of 4,000 Hz"),
        ("6000", "Its samples are the same as those of 2,000 Hz"),
        ("4000", "nothing is left of the tone"),
        ("8000", "nothing is left of the tone"),
    ],
)
def test_aliasing_is_said(tone: str, said: str) -> None:
    assert said in captions(run(section="digital", rate="8000", tone=tone))


@pytest.mark.parametrize(("hz", "said"), [("100", "needs 78.7 dB"), ("40", "less than 20 phon")])
def test_loudness_is_said(hz: str, said: str) -> None:
    assert said in captions(run(section="hearing", second=hz))


def test_a_window_s_resolution_is_said() -> None:
    said = captions(run(section="spectrograms", window="8192", hop="128"))
    assert "517 windows of 372 ms, one every 6 ms" in said
    assert "closer than 3 Hz" in said


def test_search_narrows_the_table_and_stays_in_the_url() -> None:
    page = run(section="data", q="kenta cho")
    shown = page.dataframe[0].value
    assert 0 < len(shown) < 20
    assert set(shown["Artist"]) == {"Kenta Cho"}
    page.text_input(key="about_search").set_value("no such track").run()
    assert "0 of 625 tracks" in captions(page)
    assert address.parameters(page)["q"] in ("no such track", ["no such track"])


def test_next_leads_to_the_next_section() -> None:
    page = run(section="limits")
    page.button(key="about_next").click().run()
    assert page.header[0].value == "Privacy"
    assert "about_next" not in {button.key for button in page.button}


def test_the_card_is_shown_as_it_lies_in_the_folder() -> None:
    page = run(section="models", model="vgg16_notop_fp16")
    card = PAGE.parents[1] / "assets" / "models" / "vgg16_notop_fp16.md"
    body = card.read_text(encoding="utf-8").split("\n", 1)[1].strip()
    assert body in "\n".join(text.value for text in page.markdown)
