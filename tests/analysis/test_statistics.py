"""Means, deviations and paired tests against hand calculations."""

import pytest

from stdpnet_analysis.statistics import holm, paired_test, summarise


def test_the_deviation_is_the_sample_standard_deviation():
    # squared deviations from 0.84: 0.0016 + 0.0004 + 0 + 0.0004 + 0.0016 = 0.004; divided by 4: 0.001
    summary = summarise([0.80, 0.82, 0.84, 0.86, 0.88])
    assert summary.mean == pytest.approx(0.84)
    assert summary.sd == pytest.approx(0.001**0.5)
    assert summary.n == 5


def test_a_single_seed_has_no_deviation():
    assert summarise([0.5]) == (0.5, None, 1)


def test_the_paired_interval_and_p_value_are_those_of_students_t():
    first = {seed: 0.8 + 0.01 * seed for seed in (1, 2, 3, 4, 5)}
    second = dict.fromkeys((1, 2, 3, 4, 5), 0.8)
    test = paired_test(first, second)
    # differences 1..5 points: mean 3, sd sqrt(2.5), standard error sqrt(0.5); t(0.975, 4) = 2.776445; t = 4.242641
    assert test.difference == pytest.approx(0.03)
    assert test.interval == pytest.approx((0.03 - 0.02776445 * 0.5**0.5, 0.03 + 0.02776445 * 0.5**0.5))
    assert test.t_test == pytest.approx(0.013236, abs=2e-6)
    assert test.wilcoxon is None, "five pairs cannot reach 0.05"
    back = paired_test(second, first)
    assert (back.difference, back.t_test) == (pytest.approx(-0.03), pytest.approx(test.t_test))


def test_wilcoxon_of_six_pairs_that_all_rise_is_two_of_64():
    first = {seed: 0.01 * (seed + 1) for seed in range(6)}
    assert paired_test(first, dict.fromkeys(range(6), 0.0)).wilcoxon == pytest.approx(2 / 64)


def test_only_common_seeds_are_paired():
    test = paired_test({0: 0.5, 1: 0.6, 2: 0.9}, {1: 0.5, 2: 0.7, 3: 0.1})
    assert test.seeds == (1, 2)
    assert test.difference == pytest.approx(0.15)
    assert paired_test({0: 0.5, 1: 0.6}, {1: 0.5, 2: 0.7}) is None


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_equal_differences_have_no_p_value_and_no_width(shift):
    second = {seed: 0.7 + 0.03 * seed for seed in range(6)}
    test = paired_test({seed: value + shift for seed, value in second.items()}, second)
    assert test.t_test is None
    assert test.interval == pytest.approx((shift, shift))


def test_holm_multiplies_by_the_number_of_tests_still_open_and_never_falls():
    assert holm([0.01, 0.04, 0.03, None]) == [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06), None]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
