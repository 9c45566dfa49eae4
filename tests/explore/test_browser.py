"""The page in a real browser, from disk: each thing that a person does on it."""

import re
from urllib.parse import quote

import numpy as np
import pytest
from scipy.special import softmax

from stages.common.study import NETWORKS
from stages.explore.run import compose
from tests.explore.conftest import Known
from tools import browser as browsers

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
BROWSER = browsers.find()
pytestmark = pytest.mark.skipif(not BROWSER, reason="no chromium is installed")
# milliseconds until something is to be seen, and from a click to what it has changed
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
CLICK = """selector => new Promise(resolve => {
    const start = performance.now();
    addEventListener("hashchange", () => requestAnimationFrame(() =>
        setTimeout(() => resolve(performance.now() - start))), { once: true });
    document.querySelector(selector).click();
})"""
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def path(known, tmp_path_factory):
    path = tmp_path_factory.mktemp("explore") / "index.html"
    path.write_text(compose(*known.parts)[0], encoding="utf-8")
    return path


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["laptop", "phone"])
def visit(request, browser, path):
    """Open the page at a view; in the end nothing was complained of and nothing asked for."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    tab = context.new_page()
    complaints = watch(tab)

    def go(view: str = "", file=path):
        tab.goto("about:blank")
        tab.goto(f"{file.as_uri()}#{view}")
        return tab

    yield go
    assert complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def watch(tab) -> list[str]:
    """Note what the page's scripts complain of, what it asks for, and every box that pops up."""
    noted: list[str] = []
    own = ("file:", "data:", "about:")
    tab.on("console", lambda message: noted.append(message.text))
    tab.on("pageerror", lambda error: noted.append(str(error)))
    tab.on("dialog", lambda box: (noted.append(box.message), box.dismiss()))
    tab.on("request", lambda r: noted.append(r.url) if not r.url.startswith(own) else None)
    return noted


def scores(known: Known, network: str, split: str = "val") -> np.ndarray:
    return softmax(known.answers[split].logits[network], axis=1)


def shown(tab) -> list[int]:
    """The images that are shown as cards, in their order, once the page has answered."""
    tab.evaluate("new Promise(then => setTimeout(() => requestAnimationFrame(then), 50))")
    return [int(card.get_attribute("data-image")) for card in tab.locator("a.card").all()]


def cell(known: Known, network: str, actual: int, predicted: int) -> list[int]:
    """The validation images of a cell of the confusion matrix, most confident first."""
    of = scores(known, network)
    labels = known.answers["val"].labels
    members = np.flatnonzero((labels == actual) & (of.argmax(axis=1) == predicted))
    return members[np.argsort(-of[members].max(axis=1), kind="stable")].tolist()


def test_the_first_view_says_which_two_classes_the_best_network_confuses_most(visit, known):
    tab = visit()
    best = max(NETWORKS, key=lambda name: known.answers["val"].correct()[name].mean())
    assert NETWORKS[best].title in tab.locator(".headline").inner_text()
    counts = {(a, b): len(cell(known, best, a, b)) for a in range(3) for b in range(3)}
    most = max(counts[a, b] + counts[b, a] for a in range(3) for b in range(a))
    first = tab.locator(".pairs li").first
    assert f"{most} of " in first.inner_text()
    pair = {known.data.classes.index(name) for name in first.locator("h3 strong").all_inner_texts()}
    assert counts[tuple(pair)] + counts[tuple(pair)[::-1]] == most
    assert first.locator("img").count() >= min(most, 3)
    first.locator(".directions a").first.click()
    assert len(shown(tab)) == max(counts[tuple(pair)], counts[tuple(pair)[::-1]])


def test_a_cell_shows_its_images_by_click_and_by_keyboard(visit, known):
    tab = visit("network=q1")
    tab.get_by_label("bird taken for cat").click()
    assert shown(tab) == cell(known, "q1", 0, 1) != []
    card = tab.locator("a.card").first
    index = shown(tab)[0]
    assert "true: bird" in card.inner_text() and card.locator(".bars li").count() == 3
    percents = [float(text[:-2]) for text in card.locator(".value").all_inner_texts()]
    np.testing.assert_allclose(percents, 100 * scores(known, "q1")[index], atol=0.5)
    tab.keyboard.press("Escape")
    assert not shown(tab) and tab.locator(".pairs li").count()
    # Esc goes back to the matrix: one to the right, one down
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")
    focused = tab.evaluate("document.activeElement.getAttribute('aria-label')")
    row, column = re.match(r"(\w+) taken for (\w+)", focused).groups()
    tab.keyboard.press("Enter")
    names = known.data.classes
    assert shown(tab) == cell(known, "q1", names.index(row), names.index(column))
    opened = shown(tab)[0]
    tab.locator("a.card").first.press("Enter")
    tab.wait_for_selector(".answers")
    assert f"image={opened}" in tab.url
    tab.keyboard.press("Escape")
    assert opened in shown(tab)
    assert tab.evaluate("document.activeElement.dataset.image") == str(opened)


def test_two_networks_side_by_side(visit, known):
    tab = visit("view=compare&network=q1&second=better")
    right = known.answers["val"].correct()
    alone = [right["q1"] & ~right["better"], right["better"] & ~right["q1"]]
    columns = tab.locator(".two > section").all()
    for column, of in zip(columns, alone, strict=True):
        assert column.locator("h2").inner_text().endswith(f": {of.sum()}")
        found = [int(a.get_attribute("data-image")) for a in column.locator("a.card").all()]
        assert set(found) <= set(np.flatnonzero(of)) and len(found) == min(of.sum(), 12)
    cells = tab.locator(".fourfold td:not(:empty)").all_inner_texts()
    both, neither = (right["q1"] & right["better"]).sum(), (~right["q1"] & ~right["better"]).sum()
    assert [int(text) for text in cells] == [both, alone[0].sum(), alone[1].sum(), neither]
    assert "McNemar" in tab.locator(".test").inner_text()


def test_an_image_by_itself_and_the_patch_that_is_moved_over_it(visit, known):
    tab = visit("image=4&patch=16&fill=blur&measure=score")
    answers = tab.locator(".answers section")
    for section, name in zip(answers.all(), NETWORKS, strict=True):
        assert NETWORKS[name].title in section.inner_text()
        assert known.data.classes[scores(known, name)[4].argmax()] in section.inner_text()
    grid = known.maps.grids[1][4]  # 16, blur
    label = int(scores(known, "q1")[4].argmax())

    def told() -> float:
        found = re.search(r"to ([<>]? ?[\d.]+) %", tab.locator(".occlusion .headline").inner_text())
        return float(found[1].strip("<> "))

    tab.wait_for_selector(".stage")
    stage = tab.locator(".stage").first
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    # the middle of the patch at row 3, column 5
    stage.click(position={"x": box["width"] * 48 / 96, "y": box["height"] * 32 / 96})
    assert told() == pytest.approx(100 * softmax(grid[3, 5])[label], abs=1.1)
    stage.press("ArrowLeft")
    stage.press("ArrowUp")
    assert told() == pytest.approx(100 * softmax(grid[2, 4])[label], abs=1.1)
    tab.wait_for_url(re.compile("x=32&y=16"))
    values = [float(text[:-2]) for text in tab.locator(".three .value").all_inner_texts()]
    np.testing.assert_allclose(values, 100 * softmax(grid[2, 4]), atol=1.6)
    assert tab.locator(".every canvas").count() == 6


def test_a_map_is_darkest_where_the_score_falls_most_for_each_size_measure_and_fill(visit, known):
    for fill in known.maps.about["fills"]:
        for measure in ("log_odds", "score", "class"):
            tab = visit(f"image=4&patch=32&fill={fill}&measure={measure}&target=cat")
            tab.wait_for_selector(".stage canvas[data-drawn]")
            tab.wait_for_timeout(100)
            pixels = tab.locator(".stage canvas").evaluate(
                "c => Array.from(c.getContext('2d').getImageData(0, 0, 96, 96).data)"
            )
            red, _, blue, _ = np.moveaxis(np.reshape(pixels, (96, 96, 4)), -1, 0)
            assert np.abs(red - blue)[:10].max() == 0  # gray: no centre comes that far out
            if measure == "class":
                assert np.abs(red - blue).max() > 20
            else:
                y, x = np.unravel_index((red - blue).argmax(), (96, 96))
                assert abs(y - (8 + 15.5)) <= 4.5 and abs(x - (8 + 15.5)) <= 4.5


def test_the_maps_are_those_of_the_network_that_is_looked_at_where_it_has_some(visit, known):
    for image, expected in ((4, {"q1"}), (9, {"better", "q1"}), (12, {"better"})):
        tab = visit(f"image={image}&network=better")
        tab.wait_for_selector(".stage")
        first = "better" if "better" in expected else "q1"
        assert tab.locator(".occlusion h2 strong").inner_text() == NETWORKS[first].title
        # maps of another network are not taken for those that are asked for
        said = tab.locator(".of-others strong").all_inner_texts()
        others = [NETWORKS[name].title for name in ("better", "q1")]
        assert said == (others if first == "q1" else [])
        chosen = tab.locator(".occlusion .controls").get_by_role("link", name=NETWORKS["q1"].title)
        assert chosen.count() == (len(expected) > 1)
        if chosen.count():
            chosen.click()
            assert tab.locator(".occlusion h2 strong").inner_text() == NETWORKS["q1"].title
            assert tab.locator(".every canvas").count() == 6
    tab = visit("view=images&maps=yes&split=all")
    assert sorted(shown(tab)) == known.others.index.tolist()


@pytest.mark.parametrize("network", ["q1", "q2", "better"])
def test_images_are_marked_where_the_network_has_maps_of_them(visit, known, network):
    tab = visit(f"view=images&network={network}&more=9")
    marked = [
        index for index in shown(tab) if tab.locator(f"[data-image='{index}'] .badge").count()
    ]
    of = {"q1": known.maps.index, "better": known.others.index}.get(network, [])
    assert sorted(marked) == list(of)


def test_where_no_image_has_maps_a_link_leads_to_those_that_have(visit, known):
    tab = visit("view=images&maps=yes&network=q1&split=test")
    assert shown(tab) == []
    tab.get_by_role("link", name="Show them").click()
    assert sorted(shown(tab)) == known.maps.index.tolist()
    tab = visit("image=39&network=q1")
    tab.get_by_role("link", name=f"Images with heatmaps of {NETWORKS['q1'].title}").click()
    assert sorted(shown(tab)) == known.maps.index.tolist()


def test_an_image_without_maps_has_no_section_for_them(visit):
    tab = visit("image=39")
    assert tab.locator(".answers section").count() == 4
    assert tab.locator(".occlusion").count() == 0


def test_a_threshold_tells_how_much_is_answered_and_how_well(visit, known):
    tab = visit("view=confidence&split=test")
    slider = tab.get_by_role("slider")
    slider.focus()
    while "80 %" not in (slider.get_attribute("aria-valuetext") or ""):
        slider.press("ArrowRight")
    for row, name in zip(tab.locator(".numbers tbody tr").all(), NETWORKS, strict=True):
        sure = scores(known, name, "test").max(axis=1) >= 0.8
        right = known.answers["test"].correct()[name]
        cells = row.locator("td").all_inner_texts()
        assert cells[0].startswith(f"{sure.sum()} ")
        assert cells[1] == f"{100 * right[sure].mean():.1f} %"
        assert int(cells[2]) == (sure & ~right).sum()
    tab.wait_for_url(re.compile("threshold=80"))
    assert tab.locator(".reliability svg rect").count() == 4


def test_images_are_filtered_and_the_address_leads_to_the_same_view(visit, known):
    tab = visit("view=images&network=q2")
    tab.get_by_role("link", name="both").click()
    tab.get_by_label("true class").select_option("cat")
    tab.get_by_label("answer").select_option("wrong")
    tab.get_by_label("confidence from").fill("60")
    tab.get_by_label("confidence from").press("Tab")
    expected = []
    for split, of in known.answers.items():
        score = scores(known, "q2", split)
        members = (of.labels == 1) & (score.argmax(axis=1) != 1) & (score.max(axis=1) >= 0.6)
        expected += zip(score.max(axis=1)[members], of.index[members].tolist(), strict=True)
    ranked = [index for _, index in sorted(expected, key=lambda row: -row[0])]
    assert shown(tab) == ranked != []
    address = tab.url.split("#")[1]
    assert shown(visit(address)) == ranked
    tab = visit("view=images&maps=yes&network=q1")
    assert sorted(shown(tab)) == list(range(10))


@pytest.mark.parametrize(
    "view",
    ["view=confidence&threshold=x", "image=9999", "view=images&more=-1&low=&high=1e9"]
    + ["view=constructor"],
)
def test_an_address_that_makes_no_sense_shows_the_default(visit, view):
    tab = visit(f"{view}&network=q9&split=all&actual=cow&predicted=7&patch=7&fill=lead&x=x")
    assert NETWORKS["better"].title in tab.locator("[aria-current=true]").all_inner_texts()
    assert tab.locator("main").inner_text().strip()


def test_a_name_that_is_markup_is_shown_as_text(visit, tmp_path):
    names = [EVIL, "</script><script>alert(2)</script>", "{{study}}"]
    path = tmp_path / "index.html"
    path.write_text(compose(*Known(names).parts)[0], encoding="utf-8")
    name = quote(EVIL)
    views = ("", f"actual={name}&predicted={name}", "view=compare", "view=confidence")
    views += ("view=images", f"image=3&target={name}", "image=3&measure=class", f"view={name}")
    for view in views:
        tab = visit(view, path)
        tab.wait_for_timeout(50)
        assert tab.evaluate("[...document.images].every(one => one.src.startsWith('data:'))")
        if "confidence" not in view:
            assert EVIL in tab.locator("#app").inner_text()


@pytest.mark.long
def test_five_thousand_images_are_there_in_a_second_and_answer_at_once(browser, tmp_path):
    path = tmp_path / "index.html"
    html, held = compose(*Known([f"class {i}" for i in range(10)], 2000, 3000, 95).parts)
    path.write_text(html, encoding="utf-8")
    assert held == 5000 and path.stat().st_size < 40e6
    tab = browser.new_page()
    complaints = watch(tab)
    steps = (".matrix td.diagonal a", "a.card", "nav a:nth-child(2)", "nav a:nth-child(4)")
    painted, took = [], {step: [] for step in steps}
    for _ in range(3):  # the least of three, since other processes may want the processor too
        tab.goto("about:blank")
        tab.goto(path.as_uri())
        painted.append(tab.evaluate(PAINTED))
        for step in steps:
            took[step].append(tab.evaluate(CLICK, step))
    assert min(painted) < 1000
    assert {step: min(times) for step, times in took.items() if min(times) > 100} == {}
    assert complaints == []
