"""Numbers as text: percentages with and without a deviation, missing values, thousands, intervals."""

import html
import io
import re

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from stdpnet_analysis.statistics import Summary
from stdpnet_analysis.text import count, literal, percent, plain, score_cell


def test_percentages_have_a_deviation_where_there_are_several_seeds():
    assert percent(Summary(0.91234, 0.0049, 5)) == "91.2 ± 0.5"
    assert percent(Summary(0.91234, None, 1), 2) == "91.23"
    assert percent(None) == "–"


def test_a_score_has_its_interval_in_brackets():
    assert score_cell({"accuracy": 0.9, "interval": [0.8449, 0.9384]}) == "90.00 (84.5–93.8)"
    assert score_cell(None) == "–"


def test_counts_and_plain_values_are_legible():
    assert [count(value) for value in (1234567.0, 12.345, None)] == ["1\u202f234\u202f567", "12.3", "–"]
    assert plain({"a": 1.23456, "b": None, "c": True}) == "a 1.235, b –, c True"
    assert plain(0.00123456, 3) == "0.00123"


@pytest.mark.parametrize("name", ["cost_$5_$10", r"a\$b$c$", "$x^2$", "50 %", "a\x1b[1mb"])
def test_a_name_is_drawn_as_it_is(name):
    figure, content = Figure(), io.StringIO()
    figure.text(0, 0, literal(name))
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(content, format="svg")
    shown = html.unescape("".join(re.findall(r"<text[^>]*>([^<]*)</text>", content.getvalue())))
    assert shown == name.replace("\x1b", "\\x1b")
