"""What objects show of themselves: a line at Python's prompt, a table in a notebook."""

import html
import re
from xml.dom import minidom

import numpy as np
import pytest

import stdpnet
from stdpnet.model import facts_of, presets
from stdpnet.spec.topology import TopologySpec
from stdpnet.stdp.network import initial_network, network_of
from tests import jobs

SPEC = jobs.spec("training.images=20", "health.action=ignore")


def cells(shown):
    """Return the rows of a table, after a check that it is well-formed."""
    minidom.parseString(f"<div>{shown}</div>")
    rows = re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(.*?)</td>", shown)
    return {html.unescape(name): html.unescape(value) for name, value in rows}


@pytest.fixture(scope="module")
def state():
    return stdpnet.fit(SPEC, stdpnet.load_dataset(SPEC.dataset).train.images)


@pytest.mark.parametrize("name", sorted(presets()))
def test_the_repr_of_a_spec_makes_an_equal_one(name):
    from stdpnet.baselines.colanet import spec as colanet
    from stdpnet.baselines.features import spec as features
    from stdpnet.baselines.rate_conversion import spec as rate_conversion
    from stdpnet.baselines.supervised import spec as supervised
    from stdpnet.baselines.surrogate_gradient import spec as surrogate_gradient
    from stdpnet.spec import dataset, encoder, monitoring, topology, training
    from stdpnet.stdp.spec import experiment, health, neuron, plasticity, simulation
    from stdpnet.stdp.spec import training as stdp_training

    spec = presets()[name].updated({"seed": 3})
    own = {
        "stdp": (experiment, health, neuron, plasticity, simulation, stdp_training),
        "features": (features,),
        "rate_conversion": (supervised, rate_conversion),
        "surrogate_gradient": (supervised, surrogate_gradient),
        "colanet": (colanet,),
    }
    names = {}
    for module in (dataset, encoder, monitoring, topology, training, *own[spec.model]):
        names |= vars(module)
    assert eval(repr(spec), names) == spec
    assert str(spec) == repr(spec)


def test_the_repr_of_a_spec_shows_only_what_is_not_the_default():
    assert repr(TopologySpec(kernel=12, channels=25)) == "TopologySpec(kernel=12)"
    assert repr(stdpnet.STDPExperiment()) == "STDPExperiment()"
    assert repr(stdpnet.STDPExperiment(seed=3)) == "STDPExperiment(seed=3)"


def test_a_spec_as_a_table_has_its_changed_keys_first_and_their_manuals():
    shown = stdpnet.STDPExperiment().updated({"plasticity.A_plus": 0.25})._repr_html_()
    changed, others = re.fullmatch("(.*)(<details>.*)", shown).groups()
    assert cells(changed) == {"plasticity.A_plus": "0.25"}
    assert "topology.kernel" in cells(others)
    manual = type(stdpnet.STDPExperiment().plasticity).model_fields["A_plus"].description
    assert f'<tr title="{html.escape(" ".join(manual.split()))}"' in changed


def test_text_of_the_user_is_escaped(tmp_path):
    folder = tmp_path / "<b>&\"quoted'"
    spec = SPEC.updated({"dataset": {"name": "folder", "path": str(folder)}})
    assert cells(spec._repr_html_())["dataset.path"] == str(folder)
    assert "<b>&" not in spec._repr_html_()
    run = stdpnet.Run.create(spec, tmp_path / "<script>", "run")
    assert "<script>" not in run._repr_html_()
    cells(run._repr_html_())


def test_a_state_shows_its_arrays(state):
    assert repr(state) == (
        "<State after 20 images: weights (9, 144, 8) float32, theta (9, 8) float32, competition () float32>"
    )
    assert cells(state._repr_html_())["weights"].startswith("(9, 144, 8) float32: 0.000")
    assert cells(state._repr_html_())["competition"] == "() float32: -200"


def test_a_network_shows_its_sizes(state):
    network = network_of(SPEC, state)
    assert repr(network) == (
        "<Network of 72 neurons: 9 positions x 8 channels, own fields of 12 x 12 pixels, fixed competition, float32>"
    )
    assert cells(network._repr_html_())["neurons"] == "72 = 9 positions x 8 channels"
    learned = initial_network(SPEC.updated({"topology.architecture": "convolutional", "competition.rule": "anti_stdp"}))
    assert "shared fields of 12 x 12 pixels, learned competition" in repr(learned)


def test_responses_show_activity_and_cost(state):
    images = stdpnet.load_dataset(SPEC.dataset).test.images[:10]
    responses = stdpnet.respond(SPEC, state, images)
    assert repr(responses) == "<Responses of 72 units to 10 images>"
    shown = cells(responses._repr_html_())
    assert shown["spikes per image"] == f"{responses.counts.sum() / 10:.1f}"
    assert shown["input spikes per image"] == f"{responses.cost['input_spikes']:.0f}"
    assert cells(stdpnet.respond(SPEC, state, images[:0])._repr_html_()) == {"images": "0", "units": "72"}


def test_facts_show_synapses_by_kind():
    shown = cells(facts_of(SPEC)._repr_html_())
    assert (shown["feedforward synapses"], shown["competition synapses"]) == ("10368", "504")


def test_a_run_shows_how_far_it_is(tmp_path):
    run = stdpnet.train(SPEC, tmp_path / "run")
    assert repr(run) == f"<Run {run.path}: LCSNN 8/12, finished at 20 of 20 images>"
    assert cells(run._repr_html_()) == {
        "network": "LCSNN 8/12",
        "state": "finished at 20 of 20 images",
        "dataset": "digits",
        "seed": "0",
    }
    run.path.rename(tmp_path / "gone")
    assert "new at 0 of 20" in repr(run)


@pytest.mark.parametrize("engine", ["numba", "brian2"])
def test_an_engine_shows_its_network_in_one_line(engine):
    spec = SPEC.updated({"simulation.engine": engine, "simulation.brian2_target": "numpy"})
    shown = repr(stdpnet.make_engine(spec, initial_network(spec), 1))
    assert re.fullmatch(r"<(NumbaEngine \(1 threads\)|BrianEngine \(numpy\)) of <Network of 72 neurons: .*>>", shown)
    assert np.dtype(spec.simulation.effective_dtype).name in shown
