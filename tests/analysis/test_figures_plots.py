"""What each plot draws are the numbers it was given."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from stdpnet.errors import ConfigError
from stdpnet.geometry import Geometry
from stdpnet.stdp.spec.neuron import NeuronSpec
from stdpnet.stdp.spec.plasticity import PlasticitySpec
from stdpnet_analysis.ablation import Clamping
from stdpnet_analysis.competition_weights import Association
from stdpnet_analysis.figures import (
    activity,
    comparison,
    competition_graph,
    damage,
    learning,
    receptive_fields,
    reliability,
    style,
)
from stdpnet_analysis.figures import competition as competing
from stdpnet_analysis.figures import votes as voting
from stdpnet_analysis.figures.mosaic import grid_shape, place, receptive_field_mosaic, tile
from stdpnet_analysis.figures.write import UNDATED, encoded, parse_formats, save
from stdpnet_analysis.plasticity_windows import Window
from stdpnet_analysis.preferred import preferred_images
from stdpnet_analysis.recording import ImageRecording
from stdpnet_analysis.statistics import Summary

RANDOM = np.random.default_rng(0)


@pytest.fixture
def axes():
    with style.context():
        yield Figure(layout="constrained").subplots()


def test_tiles_stand_row_by_row_with_gaps_between_them():
    sheet = tile(np.arange(1.0, 4.0)[:, None, None] * np.ones((3, 2, 2)))
    one, two, three, gap = (1.0, 2.0, 3.0, np.nan)
    wanted = [[one, one, gap, two, two]] * 2 + [[gap] * 5] + [[three, three, gap, gap, gap]] * 2
    np.testing.assert_array_equal(sheet, wanted)
    assert [grid_shape(count) for count in (1, 2, 25, 81, 1000)] == [(1, 1), (1, 2), (5, 5), (9, 9), (32, 32)]


@pytest.mark.parametrize(("sets", "side", "channels"), [(9, 3, 7), (1, 4, 1), (4, 2, 100), (1, 5, 30)])
def test_every_field_stands_at_its_place_in_the_mosaic(sets, side, channels):
    weights = RANDOM.random((sets, side * side, channels))
    order = np.stack([RANDOM.permutation(channels) for _ in range(sets)])
    mosaic = receptive_field_mosaic(weights, order)
    for position in range(sets):
        for slot in range(channels):
            row, column = place(channels, side, sets, position, slot)
            field = weights[position, :, order[position, slot]].reshape(side, side)
            np.testing.assert_array_equal(mosaic[row : row + side, column : column + side], field)
    assert np.isfinite(mosaic).sum() == weights.size


def test_a_mosaic_of_a_thousand_channels_is_one_image(axes):
    weights = RANDOM.random((9, 144, 1000))
    image = receptive_fields.plot_receptive_fields(axes, weights)
    assert len(axes.get_images()) == 1
    assert not axes.lines
    assert not axes.patches
    assert np.isfinite(image.get_array().filled(np.nan)).sum() == weights.size


def test_fields_are_sorted_by_class_then_by_vote_with_silent_neurons_last(axes):
    votes = np.zeros((3, 1, 5))
    votes[2, 0, 0], votes[0, 0, 1], votes[0, 0, 2], votes[1, 0, 4] = 4, 1, 3, 2
    assert receptive_fields.order_by_class(votes).tolist() == [[2, 1, 4, 0, 3]]
    weights = RANDOM.random((1, 9, 5))
    receptive_fields.plot_receptive_fields(axes, weights, order=receptive_fields.order_by_class(votes))
    texts = receptive_fields.label_classes(axes, weights, votes, ["a", "b", "c"])
    assert [text.get_text() for text in texts] == ["a", "b", "c", "silent"]
    assert [text.get_position() for text in texts][1] == (8, 0)


def test_a_shared_kernel_prefers_the_class_that_all_its_positions_prefer():
    votes = np.array([[1.0, 0.0, 0.0, 3.0], [0.0, 2.0, 5.0, 0.0]])  # two positions of two channels
    shared, own = (Geometry(6, 3, 3, 2, shared) for shared in (True, False))
    own = Geometry(4, 4, 1, 4, False)
    summed = receptive_fields.votes_by_set(np.tile(votes, 2), shared)
    assert summed.shape == (2, 1, 2)
    assert summed[:, 0].tolist() == [[2.0, 6.0], [10.0, 4.0]]
    assert receptive_fields.votes_by_set(votes, own).shape == (2, 1, 4)


def test_a_field_is_shown_at_its_place_in_the_image():
    geometry = Geometry(8, 4, 2, 3, False)
    weights = RANDOM.random((9, 16, 3))
    placed = receptive_fields.fields_in_place(weights, geometry, np.array([5 * 3 + 1]))[0]
    np.testing.assert_array_equal(placed[2:6, 4:8], weights[5, :, 1].reshape(4, 4))
    assert np.isfinite(placed).sum() == 16


def test_neurons_of_few_spikes_are_no_examples_of_a_class():
    votes = np.array([[0.001, 4.0, 5.0, 1.0], [0.0, 1.0, 2.0, 9.0]])
    assert receptive_fields.most_selective(votes, 0, 9).tolist() == [1, 2]
    assert receptive_fields.most_selective(np.zeros((2, 4)), 0, 9).tolist() == []


def recording(steps=30, positions=2, channels=4):
    v, theta = RANDOM.normal(-60, 3, (2, steps, positions, channels))
    spikes = RANDOM.random(v.shape) < 0.2
    image = RANDOM.integers(0, 255, (5, 5)).astype(np.uint8)
    return ImageRecording(image, 1, np.array([0, 3, 3]), np.array([4, 1, 24]), v, theta + 62, spikes, 0.5)


def test_a_raster_has_a_point_for_every_spike(axes):
    shown = recording()
    points = activity.plot_raster(axes, shown.spikes, shown.dt).get_offsets()
    step, position, channel = np.nonzero(shown.spikes)
    np.testing.assert_array_equal(points, np.column_stack([step * 0.5, position * 4 + channel]))
    assert axes.get_xlabel() == "time, ms"


def test_many_spikes_become_an_image_inside_a_vector_file(axes):
    assert activity.plot_raster(axes, np.ones((80, 9, 20), bool), 1.0).get_rasterized()
    assert not activity.plot_raster(axes, np.ones((5, 9, 20), bool), 1.0).get_rasterized()


def test_input_spikes_are_drawn_by_pixel(axes):
    points = activity.plot_input(axes, recording()).get_offsets()
    np.testing.assert_array_equal(points, [[0, 4], [1.5, 1], [1.5, 24]])


def test_a_membrane_trace_shows_potential_threshold_and_spikes(axes):
    shown, constants = recording(), NeuronSpec(v_thresh=-50.0)
    trace = activity.plot_membrane(axes, shown, 6, constants)
    np.testing.assert_array_equal(trace.v.get_ydata(), shown.v[:, 1, 2])
    np.testing.assert_array_equal(trace.threshold.get_ydata(), shown.theta[:, 1, 2] - 50)
    np.testing.assert_allclose(trace.spikes.get_xdata(), (np.flatnonzero(shown.spikes[:, 1, 2]) + 1) * 0.5)


def test_deep_inhibition_gets_a_panel_of_its_own():
    shown, constants = recording(), NeuronSpec()
    for low, panels in ((-66.0, 2), (-500.0, 4)):
        v = np.clip(shown.v, -65.5, None)
        v[3] = low
        figure = Figure()
        traces = activity.plot_winner_and_loser(figure, shown._replace(v=v, theta=np.ones_like(v)), constants, 1, 2)
        assert len(figure.axes) == panels
        assert set(traces) == {1, 2}


def test_rates_count_every_spiking_neuron_once(axes):
    rates = {"trained": np.array([0.0, 0.5, 1.0, 40.0]), "untrained": np.array([2.0, 2.0, 0.0, 0.0])}
    drawn = activity.plot_rates(axes, rates)
    assert [steps.get_data().values.sum() for steps in drawn.values()] == [3, 2]
    assert "25.0% never spike" in drawn["trained"].get_label()


def test_silent_neurons_stand_out_on_the_map(axes):
    counts = np.array([0.0, 0.3, 2.0, 1.0] * 4)
    image = activity.plot_activity_map(axes, counts, 4)
    values = image.get_array()
    assert values.compressed().sum() == counts.sum()
    silent, quiet = (image.cmap(image.norm(value)) for value in (0.0, 0.3))
    assert silent == (*style.mpl.colors.to_rgb(activity.DEAD), 1.0)
    assert quiet != silent


def test_votes_are_shares_sorted_by_preferred_class(axes):
    votes = np.array([[1.0, 8.0, 0.0, 0.0], [3.0, 2.0, 0.0, 5.0]])
    image = voting.plot_votes(axes, votes, ["a", "b"])
    np.testing.assert_allclose(image.get_array()[:, :3], [[0.8, 0.0, 0.25], [0.2, 1.0, 0.75]])
    assert image.get_array().mask[:, 3].all(), "a neuron that never spiked has no shares"


def test_ranked_votes_are_means_and_deviations_over_neurons(axes):
    votes = RANDOM.random((5, 40))
    line, _, (bars,) = voting.plot_ranked_votes(axes, {"trained": votes})["trained"]
    ranked = 100 * np.sort(votes / votes.sum(axis=0), axis=0)[::-1]
    np.testing.assert_allclose(line.get_ydata(), ranked.mean(axis=1))
    lengths = [np.diff(segment[:, 1])[0] for segment in bars.get_segments()]
    np.testing.assert_allclose(lengths, 2 * ranked.std(axis=1))


@pytest.mark.parametrize("classes", [2, 10, 47])
def test_confusion_is_in_percent_of_the_class_for_any_number_of_classes(axes, classes):
    counts = RANDOM.integers(0, 30, (classes, classes + 1))
    names = [f"class {number}" for number in range(classes)]
    image = voting.plot_confusion(axes, counts, names)
    np.testing.assert_allclose(image.get_array().sum(axis=1), 100)
    assert axes.get_xticklabels()[-1].get_text() in ("none", names[-1], names[-2])
    assert len(axes.get_xticks()) <= 24
    assert len(axes.texts) == (0 if classes > 12 else np.count_nonzero(image.get_array() > 0.5))


def test_the_column_of_unanswered_images_is_left_out_where_there_are_none(axes):
    image = voting.plot_confusion(axes, np.array([[3, 1, 0], [0, 2, 0]]), ["a", "b"])
    assert image.get_array().shape == (2, 2)


@pytest.mark.parametrize("classes", [2, 10, 47])
def test_class_accuracies_are_those_of_the_confusion(axes, classes):
    counts = RANDOM.integers(1, 30, (classes, classes + 1))
    counts[0] = 0  # a class without images has no accuracy
    drawn = voting.plot_class_accuracies(axes, {"vote": counts}, [str(number) for number in range(classes)])
    np.testing.assert_allclose(drawn["vote"].get_ydata(), 100 * np.diag(counts)[1:] / counts.sum(axis=1)[1:])


def accuracies(*values):
    return {rule: np.array(values) for rule in ("all", "patch", "spikes_first")}


def test_reliability_shows_the_bins_and_abstention_gives_the_most_confident_answers_first(axes):
    bins = [
        {"above": 0.4, "images": 30, "confidence": 0.45, "accuracy": 0.3},
        {"above": 0.9, "images": 50, "confidence": 0.97, "accuracy": 0.9},
    ]
    line = reliability.plot_reliability(axes, {"rule": bins})["rule"]
    np.testing.assert_allclose(line.get_xydata(), [[45, 30], [97, 90]])
    line = reliability.plot_abstention(axes, {"rule": bins}, {"rule": 100})["rule"]
    np.testing.assert_allclose(line.get_xydata(), [[50, 90], [80, 100 * (45 + 9) / 80]])


def test_learning_curves_of_votes_are_those_of_the_best_rule_and_older_rows_lack_log_evidence():
    rows = [
        {"images": 0, "accuracy": {"all": 0.2, "patch": 0.1}},
        {"images": 9, "accuracy": {"all": 0.6, "patch": 0.9}},
    ]
    view = SimpleNamespace(curve=rows)
    images, accuracy = learning.curve_of(view, "vote")
    assert (images.tolist(), accuracy.tolist()) == ([0, 9], [10, 90])
    assert learning.curve_of(view, "log_evidence") is None


def test_pruning_and_deletion_curves_are_in_percent(axes):
    kept = damage.plot_channels_kept(axes, [1, 5], accuracies(0.2, 0.8), [accuracies(0.1, 0.8), accuracies(0.3, 0.8)])
    assert kept["all"].get_ydata().tolist() == [20, 80]
    deleted = damage.plot_synapses_deleted(axes, [0.0, 0.5, 1.0], accuracies(0.8, 0.4, 0.0))
    assert deleted["patch"].get_xdata().tolist() == [0, 50, 100]
    assert deleted["patch"].get_ydata().tolist() == [80, 40, 0]


def test_the_graph_draws_the_mean_of_both_directions_as_opacity(axes):
    competition = -RANDOM.random((6, 6)) * 100
    np.fill_diagonal(competition, 0)
    graph = competition_graph.plot_competition_graph(axes, RANDOM.random((9, 6)), competition, np.arange(6))
    i, j = np.triu_indices(6, 1)
    np.testing.assert_allclose(graph.strength, -(competition[i, j] + competition[j, i]) / 2)
    opacity = graph.lines.get_alpha()
    assert (opacity.min(), opacity.max()) == (0, 1)
    np.testing.assert_array_equal(np.argsort(opacity, kind="stable"), np.argsort(graph.strength, kind="stable"))
    assert len(axes.get_images()) == 6


def test_the_graph_of_many_channels_keeps_those_that_compete_most(axes):
    competition = np.full((200, 200), -1.0)
    competition[:25] = -50
    np.fill_diagonal(competition, 0)
    graph = competition_graph.plot_competition_graph(
        axes, RANDOM.random((9, 200)), competition, RANDOM.permutation(200)
    )
    assert sorted(graph.channels) == list(range(25))


def test_competition_matrices_are_sorted_without_their_diagonal(axes):
    competition = -RANDOM.random((4, 5, 5))
    order = np.stack([RANDOM.permutation(5) for _ in range(4)])
    drawn = competing.plot_competition_matrices(axes, competition, order).get_array().filled(np.nan)
    assert np.isnan(np.diag(drawn[:5, :5])).all()
    assert drawn[0, 3] == competition[0, order[0, 0], order[0, 3]]
    assert drawn[6 + 2, 6 + 1] == competition[3, order[3, 2], order[3, 1]]


def test_histograms_of_competition_hold_every_synapse(axes):
    weights = {"before": -RANDOM.random((2, 6)) * 10, "learned": -RANDOM.random((2, 6)) * 300}
    for steps in competing.plot_competition_weights(axes, weights).values():
        assert steps.get_data().values.sum() == pytest.approx(100)


def test_pairs_are_all_counted_in_the_hexagons(axes):
    association = Association(RANDOM.random((2, 50)), RANDOM.random((2, 50)), 0.1, 0.5, RANDOM.random(99))
    assert competing.plot_similarity(axes, association).get_array().sum() == 100
    assert competing.plot_symmetry(axes, -RANDOM.random((2, 50)), -RANDOM.random((2, 50))).get_array().sum() == 100
    assert competing.plot_null(axes, association).get_data().values.sum() == 99


def test_clamping_shows_evaluation_and_training_apart(axes):
    clamping = Clamping(
        np.array([-9.0, -1.0]), accuracies(0.8, 0.5), accuracies(0.7, 0.8), dict.fromkeys(("all",), 0.8), 10
    )
    drawn = damage.plot_clamping(axes, clamping, "all", [("below", -4.0, 0.6)])
    assert drawn["below"].get_ydata().tolist() == [80, 50]
    assert drawn["above"].get_ydata().tolist() == [70, 80]
    trained = next(line for line in axes.lines if "in training" in line.get_label())
    assert (trained.get_xdata().tolist(), trained.get_ydata().tolist()) == ([-4], [60])


def test_bands_are_means_and_sample_deviations_over_seeds_where_all_have_values(axes):
    curves = [(np.array([0.0, 10, 20]), np.array([1.0, 2, 3])), (np.array([0.0, 20]), np.array([3.0, 7]))]
    band = learning.band(curves)
    assert band.images.tolist() == [0, 20]
    assert band.mean.tolist() == [2, 5]
    np.testing.assert_allclose(band.sd, [np.sqrt(2), np.sqrt(8)])
    drawn = learning.plot_learning_curves(axes, {"two": curves, "one": curves[:1]}, "accuracy, %")
    assert drawn["two"].get_ydata().tolist() == [2, 5]
    assert len(axes.collections) == 1, "one seed has no band"
    low, high = (f(axes.collections[0].get_paths()[0].vertices[:, 1]) for f in (np.min, np.max))
    assert (low, high) == pytest.approx((2 - np.sqrt(2), 5 + np.sqrt(8)))


def test_many_evaluations_are_a_line_without_markers(axes):
    few, many = ((np.arange(n), np.arange(n)) for n in (learning.MARKED, learning.MARKED + 1))
    drawn = learning.plot_learning_curves(axes, {"few": [few], "many": [many]}, "accuracy, %")
    assert (drawn["few"].get_marker(), drawn["many"].get_marker()) == ("o", "")


def test_a_window_is_drawn_as_measured_and_its_deviation_is_said(axes):
    rule = PlasticitySpec()
    intervals = np.arange(-3.0, 4.0)
    changes = learning.exponential_window(rule, intervals)
    changes[5] += 0.25
    drawn = learning.plot_window(axes, Window(intervals, changes), rule)
    assert drawn.measured.get_ydata().tolist() == changes.tolist()
    assert drawn.deviation == pytest.approx(0.25)


def test_preferred_images_are_those_with_most_spikes():
    counts = np.array([[0, 3], [0, 9], [0, 9], [0, 0]], np.uint16)
    assert preferred_images(counts, 1).tolist() == [1, 2, 0]
    assert preferred_images(counts, 0).tolist() == []


def test_long_class_names_are_turned_and_many_are_thinned_out(axes):
    style.class_ticks(axes, ["T-shirt/top", "Ankle boot"] * 5, "x")
    assert axes.get_xticklabels()[0].get_rotation() == 60
    style.class_ticks(axes, [str(number) for number in range(10)], "x")
    assert axes.get_xticklabels()[0].get_rotation() == 0
    style.class_ticks(axes, [str(number) for number in range(47)], "y")
    assert [label.get_text() for label in axes.get_yticklabels()][:3] == ["0", "2", "4"]


def test_formats_are_a_list_with_commas():
    assert parse_formats("png, PDF,png") == ["png", "pdf"]
    with pytest.raises(ConfigError, match="--format png,gif: 'gif' is unknown; choose among png, pdf, svg"):
        parse_formats("png,gif")


def test_architectures_keep_their_colours_whatever_stands_beside_them(axes):
    curve = [(np.array([0.0, 1.0]), np.array([1.0, 2.0]))]
    names = ["FCSNN 10", "LCSNN 10", "LCSNN 25", "CSNN 10"]
    kinds = [name.split()[0] for name in names]
    drawn = learning.plot_learning_curves(axes, dict.fromkeys(names, curve), "accuracy", kinds)
    assert {name: line.get_color() for name, line in drawn.items()} == {
        name: style.ARCHITECTURES[kind] for name, kind in zip(names, kinds, strict=True)
    }
    assert drawn["LCSNN 10"].get_linestyle() != drawn["LCSNN 25"].get_linestyle()
    others = style.group_looks(["surrogate", "LCSNN", "features"])
    assert len({look["color"] for look in others}) == 3


def test_models_of_other_families_have_colours_and_markers_of_their_own(axes):
    names = ["PCA", "LCSNN", "k-means", "random features", "CoLaNET", "rate conversion", "surrogate gradient", "CSNN"]
    network = comparison.SizedAccuracy("25", 1000, Summary(0.8, None, 1))
    families = {comparison.Family(name, 12 if "SNN" in name else 0): [network] for name in names}
    drawn = comparison.plot_accuracy_vs_synapses(axes, families)
    looks = {(line.get_color(), line.get_marker()) for line, _, _ in drawn.values()}
    assert len(looks) == len(names)
    assert len({marker for _, marker in looks}) == len(names)
    assert axes.get_legend_handles_labels()[1] == [family.name for family in families]
    assert all(line.get_markerfacecolor() == line.get_color() for line, _, _ in drawn.values())


def test_numbers_stand_beyond_the_error_bars(axes):
    networks = [
        comparison.SizedAccuracy("25", 1000, Summary(0.8, 0.05, 3)),
        comparison.SizedAccuracy("100", 9000, Summary(0.9, None, 1)),
    ]
    for learned, expected in ((False, [85.0, 90.0]), (True, [75.0, 90.0])):
        axes.clear()
        comparison.plot_accuracy_vs_synapses(axes, {comparison.Family("LCSNN", 12, learned): networks})
        assert [text.xy[1] for text in axes.texts] == pytest.approx(expected)


def test_numbers_stand_beyond_the_error_bars_of_networks_of_the_same_size_too(axes):
    fixed, learned = Summary(0.8, 0.02, 3), Summary(0.81, 0.05, 3)
    families = {
        comparison.Family("LCSNN", 12, learned=kind): [comparison.SizedAccuracy("25", 1000, value)]
        for kind, value in ((False, fixed), (True, learned))
    }
    comparison.plot_accuracy_vs_synapses(axes, families)
    assert [text.xy[1] for text in axes.texts] == pytest.approx([86.0, 76.0])


def test_numbers_of_a_crowd_of_points_do_not_cover_each_other():
    axes = style.new_figure(60, 60).subplots()
    sizes = {"LCSNN": (1000, 218_700, 260_800, 10_000_000), "CSNN": (164_800, 279_900)}
    networks = {
        comparison.Family(name, 12): [comparison.SizedAccuracy("100", size, Summary(0.95, None, 1)) for size in pair]
        for name, pair in sizes.items()
    }
    comparison.plot_accuracy_vs_synapses(axes, networks)

    def overlaps():
        boxes = [text.get_window_extent() for text in axes.texts]
        return sum(box.count_overlaps(boxes[:number]) for number, box in enumerate(boxes))

    axes.figure.draw_without_rendering()
    assert overlaps() > 0
    comparison.separate_numbers(axes)
    assert overlaps() == 0


def test_titles_wider_than_the_figure_or_their_panel_are_broken():
    figure = style.new_figure(style.SINGLE, 60)
    left, right = figure.subplots(1, 2)
    words = "LCSNN 50/12 with learned competition, Fashion-MNIST, 60000 training images; 10000 test images"
    figure.suptitle(f"{words}\nshort")
    left.set_title(words)
    right.set_title("short")
    style.fit_titles(figure)
    assert figure._suptitle.get_window_extent().width <= figure.bbox.width
    assert left.title.get_window_extent().width <= figure.bbox.width / 2
    assert figure._suptitle.get_text().endswith("\nshort")
    assert " ".join(left.get_title().split()) == words
    assert right.get_title() == "short"


def test_text_stays_text_in_an_svg(axes, tmp_path):
    axes.set_title("accuracy of neurons")
    save(axes.figure, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    assert ">accuracy of neurons</text>" in text
    assert "sans-serif" in text


@pytest.mark.parametrize("form", ["png", "pdf", "svg"])
def test_a_file_holds_the_bytes_of_savefig_and_the_figure_stays_as_it_is(axes, form):
    figure, dpi, content = axes.figure, axes.figure.dpi, io.BytesIO()
    axes.set(title="accuracy", xlabel="images", yticks=[0, 1], yticklabels=["a long label", "b"])
    axes.imshow(RANDOM.random((3, 5)))
    figure.set_facecolor("yellow")
    canvas, colour = figure.canvas, figure.get_facecolor()
    written = encoded(figure, form, 50)
    figure.savefig(content, format=form, dpi=50, metadata=UNDATED[form])
    assert written == content.getvalue()
    assert (figure.canvas, figure.dpi, figure.get_facecolor()) == (canvas, dpi, colour)
