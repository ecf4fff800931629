import math
import os
import pickle
from pathlib import Path

import pytest

from stdpnet.errors import ConfigError
from stdpnet.model import MODELS, spec_class
from stdpnet.spec.base import Spec, spec_type
from stdpnet.spec.load import dump_config, load_config, recorded
from stdpnet.spec.presets import preset, preset_names, write_configs
from stdpnet.stdp.spec.experiment import STDPExperiment
from stdpnet.stdp.spec.presets import TABLE_2

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("name", preset_names())
def test_a_config_file_is_its_preset(name):
    assert load_config(CONFIGS / f"{name}.toml") == preset(name)


def test_the_config_files_are_those_that_the_presets_write(tmp_path):
    write_configs(tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_text() for path in CONFIGS.glob("*.toml")}


def test_every_row_of_table_2_has_a_preset_with_the_thesis_s_and_one_with_better_parameters():
    for row in TABLE_2.values():
        for spec in (preset(row.name), preset(f"{row.name}-thesis")):
            geometry = spec.geometry
            assert (geometry.channels, geometry.kernel) == (row.channels, row.kernel)
            assert spec.competition.is_learned == row.learned
            assert (spec.training.pool or spec.training.images) <= 5000, "different images"
    thesis = preset("lcsnn-25-k12-thesis")
    assert (thesis.encoder.kind, thesis.plasticity.mean_weight, thesis.competition.c_w) == ("poisson_isi", 0.46, -126.7)


@pytest.mark.parametrize("documented", [False, True])
@pytest.mark.parametrize("name", ["digits", "fcsnn-100", "lcsnn-25-k12-learned"])
def test_a_written_config_reads_back_to_an_equal_spec(tmp_path, name, documented):
    path = tmp_path / "config.toml"
    path.write_text(dump_config(preset(name), documented=documented))
    assert load_config(path) == preset(name)
    assert preset(name).competition.w_min == -math.inf


def test_overrides_apply_in_order_and_keep_their_types():
    spec = load_config(
        "digits", ["seed=5", "plasticity.A_plus = 0.5", "encoder.kind=regular", "plasticity.A_plus=0.25"]
    )
    assert (spec.seed, spec.plasticity.A_plus, spec.encoder.kind) == (5, 0.25, "regular")
    assert load_config("digits", ["competition.rule=anti_stdp"]).competition.is_learned is True
    assert load_config("fcsnn-100", ["topology.kernel=20"]).topology.kernel == 20
    assert (
        load_config("digits", ["topology.architecture=fully_connected", "topology.kernel=none"]).topology.kernel is None
    )


def every_field(*owners):
    pending = list(owners)
    while pending:
        owner = pending.pop()
        for name, field in owner.model_fields.items():
            yield owner, name, field
            if nested := spec_type(field.annotation):
                pending.append(nested)


@pytest.mark.parametrize(
    ("owner", "name", "field"),
    list(every_field(STDPExperiment)),
    ids=lambda part: getattr(part, "__name__", str(part)[:20]),
)
def test_every_field_is_documented(owner, name, field):
    assert field.description, f"{owner.__name__}.{name}"
    assert issubclass(owner, Spec)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["plasticity.A_pls=1"], "plasticity.A_pls: unknown key; did you mean 'A_plus'?"),
        (["plasticty.A_plus=1"], "plasticty: unknown key; did you mean 'plasticity'?"),
        (["neuron.tau_v=-1"], "neuron.tau_v: input should be greater than 0, got -1"),
        (["neuron.tau_v=nan"], "neuron.tau_v: input should be a finite number, got nan"),
        (["neuron.tau_v=true"], "neuron.tau_v: input should be a valid number, got True"),
        (["training.images=true"], "training.images: input should be a valid integer, got True"),
        (["topology.kernel=false"], "topology.kernel: input should be a valid integer, got False"),
        (["dataset.sensor=[true, 34]"], "dataset.sensor: input should be a valid integer, got [True, 34]"),
        (["neuron.v_thresh=-70.0"], "neuron.v_thresh: -70.0 mV must lie above v_rest and v_reset"),
        (["A_plus=0.1"], "A_plus: unknown key; did you mean plasticity.A_plus or competition.A_plus?"),
        (["simulation.duration=250.5"], "simulation.duration: 250.5 ms is not a whole number of steps of dt = 1.0 ms"),
        (["topology.kernel=11"], "topology.stride: (dataset.crop - kernel)/stride = (20 - 11)/4 is not whole"),
        (["topology.kernel=21"], "topology.kernel: 21 is larger than the image (dataset.crop = 20)"),
        (["topology.kernel=none"], "topology.kernel: architecture = 'locally_connected' needs a kernel"),
        (
            ["topology.architecture=fully_connected"],
            "topology.kernel: fully_connected neurons see the whole image of 20",
        ),
        (["plasticity.w_max=-1"], "plasticity.w_min: 0.0 must lie below w_max = -1.0"),
        (["plasticity.normalise=active"], "plasticity.normalise: input should be 'spiked' or 'all', got 'active'"),
        (["competition.c_w=1"], "competition.c_w: input should be less than or equal to 0, got 1"),
        (["competition.rule=hebb"], "competition.rule: input should be 'none', 'fixed', 'anti_stdp', 'rate_target'"),
        (["training.second_step_from=zero"], "training.second_step_from: zero needs training.two_step > 0"),
        (["training.two_step=10"], "training.two_step: needs competition.rule = anti_stdp, rate_target, anti_hebbian"),
        (["dataset.name=folder"], "dataset.path: name = 'folder' needs a path"),
        (["dataset.path=x"], "x' is not used by name = 'digits'"),
        (["seed"], "--set seed: must look like key=value"),
        (["seed.x=1"], "--set seed.x=1: seed is a value, not a table of keys"),
    ],
)
def test_a_wrong_override_is_one_sentence_that_names_key_value_and_remedy(overrides, message):
    with pytest.raises(ConfigError) as caught:
        load_config("digits", overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", MODELS)
def test_no_number_may_be_true_or_false(model):
    numbers = [each for each in every_field(spec_class(model)) if each[2].annotation in (int, float)]
    assert len(numbers) > 20
    for owner, name, _ in numbers:
        for value in (True, False):
            with pytest.raises(ConfigError, match=rf"^{name}: input should be a valid (integer|number), got "):
                owner(**{name: value})
    assert spec_class(model)(progress={"tensorboard": True}).progress.tensorboard is True


@pytest.mark.parametrize(
    ("source", "content", "message"),
    [
        ("absent.toml", None, "absent.toml: no such file"),
        ("broken.toml", b"seed = ", "broken.toml: not valid TOML"),
        ("binary.toml", b"\xff\xfe\x00", "binary.toml: cannot be read as text"),
        (
            "wrong.toml",
            b"[topology]\nchanels = 3\nkernel = 12",
            "wrong.toml: topology.chanels: unknown key; did you mean 'channels'",
        ),
        ("flat.toml", b"topology = 3", "flat.toml: topology: input should be"),
        ("boolean.toml", b"seed = true", "boolean.toml: seed: input should be a valid integer, got True"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path, source, content, message):
    path = tmp_path / source
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"^[^\n]*$") as caught:
        load_config(path)
    assert message in str(caught.value)


def test_several_mistakes_are_a_sentence_each(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("seed = -1\n[topology]\nchanels = 3\n[neuron]\ntau_v = 0\n[evaluation]\nreadouts = 3\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    sentences = str(caught.value).split("\n")
    assert all(sentence.startswith(f"{path}: ") for sentence in sentences)
    keys = ["evaluation.readouts", "neuron.tau_v", "seed", "topology.chanels"]
    assert sorted(sentence.split(": ")[1] for sentence in sentences) == keys
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'lcsnn-25-k12'"):
        load_config("lcsn-25-k12")


def test_read_outs_are_a_list_or_names_with_commas():
    named = load_config("digits", ["evaluation.readouts=all, linear"])
    assert named.evaluation.readouts == ("all", "linear")
    assert load_config("digits", ['evaluation.readouts=["all", "linear"]']) == named
    with pytest.raises(ConfigError, match=r"evaluation\.readouts: .* at least 1"):
        load_config("digits", ["evaluation.readouts=[]"])


def test_specs_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        preset("digits").topology.channels = 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("self = 1", "self: unknown key"),
        (f"seed = {'9' * 5000}", "not valid TOML"),
        (f"seed = 0x{'f' * 5000}", "integer of very many digits"),
        (f"x = {'[' * 100_000}", "nested too deeply"),
        (f"{'a.' * 5000}b = 1", "unknown key|nested|tables"),
        ("[simulation]\ndt = 5e-324", "at most 1000000 steps"),
        ("[simulation]\nduration = 1e20\ndt = 1e-30", "at most 1000000 steps"),
        ("[competition]\ntarget_rate = 1e200", "too large"),
        (f"[topology]\nstride = {10**30}", "less than or equal to 4096|too large"),
        (f"[dataset]\nname = '{'x' * 10_000_000}'", "larger than 1048576 bytes"),
        (f"[dataset]\nname = '{'x' * 100_000}'", r"xxx\.\.\."),
        ('[dataset]\nname = "npz"\npath = "a\\u0000b"', "no path can have"),
        ("[dataset]\ninvert = true", "invert: is for"),
    ],
)
def test_what_overflows_or_never_ends_is_one_short_sentence(tmp_path, text, message):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_config(path)
    assert len(str(error.value)) < 1000
    assert "\n" not in str(error.value)


def test_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "c.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 3\r\n")
    assert load_config(path).seed == 3


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "c.toml")
    with pytest.raises(ConfigError, match="no regular file"):
        load_config(tmp_path / "c.toml")


def test_a_home_folder_is_found_in_every_command(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load_config("digits", ["dataset.name=npz", "dataset.path=~/x.npz"]).dataset.path == "/home/somebody/x.npz"


def test_a_run_of_an_older_version_keeps_the_order_of_its_classes(tmp_path):
    own = {"dataset": {"name": "folder", "path": "/x"}}
    assert recorded(own)["dataset"]["class_order"] == "text"
    assert recorded({"dataset": {**own["dataset"], "class_order": "natural"}})["dataset"]["class_order"] == "natural"
    assert recorded({"seed": 1}) == {"seed": 1}
