"""The figures hold the numbers they were given and are real pictures."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from training.plots import comparison_figure, loss_figure, save, trade_off_figure

TRAIN = [(1e5, 3.0), (2e5, 2.0), (4e5, 1.5)]
VALIDATION = [(1e5, 3.1), (2e5, 2.2), (4e5, 2.3)]


def test_a_loss_figure_shows_both_curves_and_the_best_loss() -> None:
    axes = loss_figure("classic", TRAIN, VALIDATION).axes[0]
    drawn = {str(line.get_label()): line.get_xydata() for line in axes.lines}
    np.testing.assert_array_equal(drawn["training"], TRAIN)
    np.testing.assert_array_equal(drawn["validation"], VALIDATION)
    assert [text.get_text() for text in axes.texts] == ["2.200"]
    assert "classic" in axes.get_title()


def test_a_loss_figure_without_validation_has_one_curve() -> None:
    assert len(loss_figure("classic", TRAIN).axes[0].lines) == 1


def test_a_comparison_tells_its_curves_apart_without_colour() -> None:
    curves = {"classic": TRAIN, "pooh": VALIDATION, "unknown": []}
    figure = comparison_figure(curves, {"guessing": 4.19})
    axes = figure.axes[0]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        *("classic, 1.50", "pooh, 2.30", "guessing, 4.19")
    ]
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    np.testing.assert_array_equal(axes.lines[2].get_ydata(), [4.19, 4.19])
    figure.draw_without_rendering()  # beside the curves, not over them
    assert legend.get_window_extent().x0 > axes.bbox.x1


def test_a_trade_off_is_a_line_of_temperatures() -> None:
    curve = [(0.0, 250.0, 0.3), (0.8, 20.0, 0.01)]
    axes = trade_off_figure({"pooh": curve, "unknown": []}).axes[0]
    [line] = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), [(250.0, 0.3), (20.0, 0.01)])
    assert [text.get_text() for text in axes.texts] == ["0", "0.8"]


@pytest.mark.parametrize("seed", range(6))
def test_no_label_covers_another_or_a_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    temperatures = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.2)
    # As they are: the low temperatures of a model that recites are one heap.
    curves = {
        name: [
            (t, where[0] - 40 * t**3 + rng.uniform(0, 2), where[1] + 0.02 * rng.uniform())
            for t in temperatures
        ]
        for name, where in {"a": (300, 0.97), "b": (244, 0.02), "c": (250, 0.04)}.items()
    }
    figure = trade_off_figure(curves)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts]
    told = sorted(t for text in axes.texts for t in text.get_text().split(", "))
    assert told == sorted(f"{t:g}" for t in temperatures * 3)
    for i, box in enumerate(boxes):
        assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[:i])
        for line in axes.lines:
            for point in axes.transData.transform(line.get_xydata()):
                assert not box.contains(*point)


def test_what_is_saved_is_a_picture_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "loss.png"
    save(loss_figure("classic", TRAIN, VALIDATION), path)
    height, width, _ = matplotlib.image.imread(path).shape
    assert width > height > 300
    assert [entry.name for entry in path.parent.iterdir()] == ["loss.png"]


@pytest.mark.parametrize("name", ["a$_$b", "$", "\u304f\u307e", "50%"])
def test_a_model_may_have_any_name(name: str, tmp_path: Path) -> None:
    curve = [(1.0, 3.0), (10.0, 2.0)]
    for figure in (
        loss_figure(name, curve, curve),
        comparison_figure({name: curve}),
        trade_off_figure({name: [(0.5, 1.0, 0.1)]}),
    ):
        save(figure, tmp_path / "a.png")
