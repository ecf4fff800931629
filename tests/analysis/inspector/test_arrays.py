"""What the inspector computes of arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stdpnet_analysis.inspector.arrays import (
    INK,
    MOST_VALUES,
    Placement,
    centred,
    evidence,
    histogram,
    placement,
    sheet,
    strongest_competitors,
)
from stdpnet_analysis.inspector.library import thinned
from stdpnet_analysis.readouts.rules import RULES

drawings = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@settings(deadline=None, max_examples=50)
@given(drawings, st.integers(1, 20), st.floats(1, 30), st.floats(-5, 25))
def test_a_drawing_becomes_an_image_of_the_asked_side(drawing, side, size, centre):
    image = centred(drawing, side, Placement(size, centre, centre))
    assert image.shape == (side, side)
    assert image.dtype == np.uint8
    if (drawing < INK).all():
        assert not image.any()


@pytest.mark.parametrize("shift", [(0, 0), (40, 70), (100, 10)])
def test_where_and_how_large_a_digit_is_drawn_does_not_matter(shift):
    place = Placement(14, 9.5, 9.5)
    seven = np.zeros((196, 196), np.uint8)
    seven[shift[0] : shift[0] + 8, shift[1] : shift[1] + 56] = 255
    seven[shift[0] : shift[0] + 84, shift[1] + 48 : shift[1] + 56] = 255
    image = centred(seven, 20, place)
    half = centred(seven[::2, ::2], 20, place)
    np.testing.assert_array_equal(image, half)
    found = placement(image[np.newaxis])
    assert found.size == 14
    assert abs(found.row - 9.5) <= 1
    assert abs(found.column - 9.5) <= 1


def test_images_without_ink_are_placed_on_the_whole_square():
    assert placement(np.zeros((3, 20, 20), np.uint8)) == Placement(20, 9.5, 9.5)


@pytest.mark.parametrize("rule", ["log_evidence", "all", "patch", "spikes_first", "proportion"])
def test_the_evidence_of_the_positions_adds_up_to_the_score(rule):
    random = np.random.default_rng(0)
    counts, sums, images = (
        random.poisson(2.0, (4, 5)).astype(float),
        random.poisson(30.0, (3, 20)) * 1.0,
        np.full(3, 9.0),
    )
    weights = RULES[rule].weigh(sums, images).reshape(3, 4, 5)
    parts = evidence(rule, counts, sums, images)
    np.testing.assert_allclose(parts.sum(axis=0), RULES[rule].combine(counts[np.newaxis], weights)[0])


def test_a_silent_position_adds_no_evidence():
    counts = np.zeros((2, 3))
    counts[1, 0] = 4
    parts = evidence("log_evidence", counts, np.ones((2, 6)), np.ones(2))
    assert not parts[0].any()
    assert parts[1].any()


def test_the_strongest_competitors_are_those_that_inhibit_most_and_never_the_neuron_itself():
    competition = np.array([[0.0, -1, -5], [-9, 0, -7], [-2, -3, 0]])
    assert strongest_competitors(competition, 2) == [(1, -7.0), (0, -5.0)]
    assert strongest_competitors(competition, 0, most=1) == [(1, -9.0)]
    assert strongest_competitors(np.zeros((1, 1)), 0) == []


def test_a_sheet_has_every_field_in_its_cell():
    fields = np.arange(5)[:, np.newaxis, np.newaxis] * np.ones((5, 2, 2))
    found = sheet(fields, 4.0)
    assert found.shape == (6, 9)
    assert found[[0, 0, 0, 3, 3], [0, 3, 6, 0, 3]].tolist() == [24, 81, 139, 197, 255]
    assert not found[2].any()


def test_a_histogram_takes_so_many_values_at_most_and_no_infinite_ones():
    edges, numbers = histogram(np.array([0.0, 1.0, 1.0, np.inf, np.nan]), 2)
    assert numbers.tolist() == [1, 2]
    assert len(edges) == 3
    assert MOST_VALUES / 2 <= histogram(np.zeros(2 * MOST_VALUES + 1))[1].sum() <= MOST_VALUES + 1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50), st.integers(2, 20))
def test_thinned_rows_keep_their_order_and_both_ends(count, most):
    rows = [{"images": number} for number in range(count)]
    kept = [row["images"] for row in thinned(rows, most)]
    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    assert kept[:1] == [0][:count]
    assert kept[-1:] == [count - 1][:count]


def test_a_kept_chart_takes_the_columns_that_a_new_one_is_drawn_from():
    pytest.importorskip("bokeh", reason="needs the extra: pip install 'stdpnet[inspect]'")
    from stdpnet_analysis.inspector import charts

    for rows in (3, charts.POINTS + 1):
        images = list(range(rows))
        content = {"images": images, "numbers": {"silent_images": [0.5] * rows}, "theta": None}
        content["curve"] = {"images": images, "accuracy": {"linear": [0.7] * rows, "all": [None] + [0.6] * (rows - 1)}}
        state = {"histograms": {"theta": {"edges": [0.0, 1.0, 2.0], "numbers": [3, 4]}}}
        for chart in (*charts.progress(content), *charts.histograms(state)):
            drawn = {each.name: each.data_source.data for each in chart.draw().renderers}
            assert list(drawn) == list(chart.columns)
            for name, each in chart.columns.items():
                assert set(drawn[name]) == set(each)
                for column, values in each.items():
                    expected = [np.nan if value is None else value for value in values]
                    np.testing.assert_array_equal(drawn[name][column], expected)


def test_networks_have_one_colour_in_all_charts_of_a_comparison():
    pytest.importorskip("bokeh", reason="needs the extra: pip install 'stdpnet[inspect]'")
    from stdpnet_analysis.inspector import charts

    groups = [{"name": "A", "synapses": 10, "vote": {"mean": 0.5}}, {"name": "B", "synapses": 20, "vote": None}]
    groups[1]["linear"] = {"mean": 0.9}
    content = {"curves": {}, "groups": groups, "columns": ["vote", "linear"], "seeds": {"vote": {}, "linear": {}}}
    vote, linear = charts.comparison(content)
    assert vote.renderers[0].glyph.fill_color == charts.COLOURS[0]
    assert linear.renderers[0].glyph.fill_color == charts.COLOURS[1]
