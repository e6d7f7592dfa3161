from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import analyses
import browser
import pytest
from browser import Browser

from mycloset.inspection.report.html import page
from mycloset.inspection.report.summary import summarise

pytestmark = pytest.mark.skipif(browser.program() is None, reason="there is no Chromium here")

VISIBLE = "[...document.querySelectorAll('tr[data-row]')].filter(r => !r.hidden)"
NAMES = f"{VISIBLE}.map(r => r.querySelector('.file').dataset.value)"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # The browser's last processes may still write there when it is to go.
    profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with profile as folder, Browser(Path(folder)) as started:
        yield started


@pytest.fixture
def report(chromium: Browser, tmp_path: Path) -> Browser:
    files = analyses.every()
    findings = (analyses.duplicate(),)
    path = tmp_path / "report.html"
    path.write_text(page(files, findings, summarise(files, findings)), "utf-8")
    chromium.open(path)
    return chromium


def choose(report: Browser, name: str, value: str) -> None:
    report.run(
        f"(() => {{ const field = document.getElementById('{name}'); field.value = '{value}';"
        " field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def test_sorting_by_size_goes_down_then_up(report: Browser) -> None:
    sizes = f"{VISIBLE}.map(r => Number(r.querySelector('.size').dataset.value))"
    expected = sorted((file.size for file in analyses.every()), reverse=True)
    report.run("document.querySelector('th.size button').click()")
    assert report.run(sizes) == expected
    assert report.run("document.querySelector('th.size').ariaSort") == "descending"
    report.run("document.querySelector('th.size button').click()")
    assert report.run(sizes) == expected[::-1]


def test_a_step_leaves_the_files_that_serve_it(report: Browser) -> None:
    choose(report, "step", "=virtual_fitting")
    assert report.run(NAMES) == ["models/sd_xl_base_1.0.safetensors"]
    assert report.run("document.getElementById('shown').textContent") == "1 of 11 files"


def test_words_are_looked_for_in_names_networks_and_findings(report: Browser) -> None:
    choose(report, "text", "vgg U2-NET")
    assert report.run(NAMES) == ["models/u2net.pth"]


def test_a_tile_leaves_the_files_with_its_finding(report: Browser) -> None:
    report.run("document.querySelector('.tile[data-kind=dangerous]').click()")
    assert report.run(NAMES) == ["downloads/free_model.ckpt"]
    report.run("document.querySelector('.tile[data-kind=dangerous]').click()")
    assert len(report.run(NAMES)) == 11


def test_clearing_shows_everything_again(report: Browser) -> None:
    choose(report, "text", "nothing has this")
    assert report.run("document.getElementById('nothing').hidden") is False
    report.run("document.getElementById('clear').click()")
    report.run("new Promise(done => setTimeout(done, 20))")
    assert len(report.run(NAMES)) == 11


def test_a_row_unfolds_by_click_and_folds_again(report: Browser) -> None:
    row = "document.querySelector('tr[data-row=\"3\"]')"
    report.run(f"{row}.querySelector('.size').click()")
    told = report.run(f"{row}.nextElementSibling.textContent")
    assert "posix.system('id')" in told
    assert "1,234" in told
    report.run(f"{row}.querySelector('.fold').click()")
    assert report.run("document.querySelectorAll('tr.detail').length") == 0


def test_the_keyboard_suffices(report: Browser) -> None:
    report.run("document.querySelector('tr[data-row] .fold').focus()")
    report.press("ArrowDown", 40)
    report.press("Enter", 13)
    opened = report.run("document.querySelector('tr.detail').previousElementSibling.dataset.row")
    assert opened == "1"
    report.press("/", 191)
    assert report.run("document.activeElement.id") == "text"


def test_an_unfolded_row_stays_with_its_file_when_sorted(report: Browser) -> None:
    report.run("document.querySelector('tr[data-row=\"4\"] .fold').click()")
    report.run("document.querySelector('th.file button').click()")
    before = "document.querySelector('tr.detail').previousElementSibling.dataset.row"
    assert report.run(before) == "4"


def test_hostile_texts_stay_texts(report: Browser) -> None:
    report.run("document.getElementById('unfold').click()")
    report.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert report.run("document.querySelectorAll('tr.detail').length") == 11
    assert report.run("document.querySelectorAll('img').length") == 0
    assert report.run("document.title") == "11 model files"
    assert report.run("document.body.textContent.includes('<img src=x onerror=')")


def test_the_policy_stops_what_escaping_would_have_missed(report: Browser) -> None:
    report.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"bad = 1\">')")
    report.run("new Promise(done => setTimeout(done, 50))")
    assert report.run("typeof bad") == "undefined"


def test_nothing_is_asked_of_the_network_and_nothing_is_complained_of(report: Browser) -> None:
    report.run("document.getElementById('unfold').click()")
    report.run("new Promise(done => setTimeout(done, 50))")
    assert [url.partition(":")[0] for url in report.requests()] == ["file"]
    assert report.complaints() == []
