import re
from pathlib import Path

import pytest

from stdpnet.errors import ConfigError, RunError
from stdpnet.training import train
from stdpnet_analysis.sweeps import StudyDirectory, load_study
from stdpnet_analysis.sweeps.samplers import make_sampler
from stdpnet_analysis.sweeps.space import grid
from stdpnet_analysis.sweeps.spec import StudySpec
from stdpnet_analysis.sweeps.trial import objective

STUDIES = Path(__file__).parents[3] / "analysis/paper/studies"
BASE = {"config": "digits", "set": ["dataset.validation=100"]}


def spec(**changes):
    values = {"base": BASE, "space": {"plasticity.A_plus": {"low": 0.001, "high": 0.1, "log": True}}, **changes}
    return StudySpec(**values)


def written(tmp_path, text, base='config = "digits"\nset = ["dataset.validation=100"]'):
    path = tmp_path / "study.toml"
    path.write_text(f"[base]\n{base}\n{text}")
    return path


def test_a_study_scores_the_read_outs_that_its_objective_needs(tmp_path):
    space = "[space.plasticity]\nA_plus = { low = 1, high = 2 }\n"
    usual = load_study(written(tmp_path, space))[1].evaluation.readouts
    for readout, more in (("log_evidence", ()), ("mean", ()), ("patch", ()), ("naive_bayes", ("naive_bayes",))):
        _, base = load_study(written(tmp_path, f"{space}[objective]\nreadout = '{readout}'"))
        assert base.evaluation.readouts == (*usual, *more)


def test_keys_may_be_dotted_or_nested(tmp_path):
    nested = "[space.plasticity]\nA_plus = { low = 1, high = 2 }\n[space.neuron.tau_v]\nchoices = [20.0, 50.0]\n"
    dotted = '[space]\n"plasticity.A_plus" = { low = 1, high = 2 }\n"neuron.tau_v" = { choices = [20.0, 50.0] }\n'
    assert load_study(written(tmp_path, nested)) == load_study(written(tmp_path, dotted))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[space.plasticity]\nA_pls = { low = 1, high = 2 }",
            r"space\.plasticity\.A_pls: unknown key; did you mean 'A_plus'",
        ),
        ("[space.plastcity]\nA_plus = { low = 1, high = 2 }", "did you mean 'plasticity'"),
        ("[space]\nplasticity = { low = 1, high = 2 }", "names no single value"),
        ("[space.plasticity]\nA_plus = { lo = 1, high = 2 }", r"A_plus\.lo: unknown key; did you mean 'low'"),
        ("[space.plasticity]\nA_plus = { low = 2, high = 1 }", "2 must lie below high = 1"),
        ("[space.plasticity]\nA_plus = { low = 2 }", "a range needs low and high"),
        ("[space.plasticity]\nA_plus = { low = 0, high = 1, log = true }", "must lie above 0 where log = true"),
        ("[space.plasticity]\nA_plus = { low = 1, high = 3, log = true, step = 1 }", "does not go with log"),
        ("[space.plasticity]\nA_plus = { low = 1, choices = [2] }", "choices: do not go with low"),
        ("[space.plasticity]\nA_plus = { low = 0, choices = [2] }", "choices: do not go with low"),
        ("[space.topology]\nchannels = { low = 5, high = 10 }", "add integer = true"),
        ("[space.topology]\nchannels = { low = 5.5, high = 10, integer = true }", "whole numbers"),
        ("[space.topology]\nchannels = { low = 0, high = 10, integer = true }", "greater than or equal to 1, got 0"),
        ("[space.neuron]\ntau_v = { low = -5, high = 10 }", "greater than 0, got -5"),
        ('[space.encoder]\nkind = { choices = ["poisson", "regulr"] }', "space.encoder.kind: input should be"),
        ("[space]\nseed = { low = 0, high = 9, integer = true }", "space.seed: cannot be searched"),
        ("[space.dataset]\ncrop = { choices = [12, 20] }", "space.dataset.crop: cannot be searched"),
        (
            '[space.neuron]\ntau_v = { low = 1, high = 9, when = { "encoder.kind" = "poisson" } }',
            "'encoder.kind' is no key of the space with choices",
        ),
        (
            '[space.neuron]\ntau_v = { low = 1, high = 9, when = { "encoder.kind" = "psn" } }\n'
            '[space.encoder]\nkind = { choices = ["poisson", "regular"] }',
            "encoder.kind is never 'psn'",
        ),
        (
            '[space.neuron]\ntau_v = { choices = [1], when = { "neuron.tau_refrac" = 2 } }\n'
            'tau_refrac = { choices = [2], when = { "neuron.tau_v" = 1 } }',
            "in a circle",
        ),
        (
            '[space.plasticity]\nA_plus = { low = 1, high = 2 }\n[sampler]\nkind = "grid"',
            "a grid needs choices, whole numbers or a step",
        ),
        (
            '[space.plasticity]\nA_plus = { low = 1, high = 2 }\n[objective]\nsplit = "test"',
            "'test' cannot be tuned on",
        ),
        (
            '[space.plasticity]\nA_plus = { low = 1, high = 2 }\n[objective]\nreadout = "loudest"',
            r"objective\.readout: 'loudest' is unknown; choose among vote, log_evidence, .*, mean",
        ),
        (
            '[space.plasticity]\nA_plus = { low = 1, high = 2 }\n[pruner]\nkind = "median"',
            r"pruner\.validation: 1000 images, but the base has 100 validation images; set it to 100 or less",
        ),
        ('[space.plasticity]\nA_plus = { low = 1, high = 2 }\n[objctive]\nsplit = "test"', "did you mean 'objective'"),
        (
            '[space.plasticity]\nA_plus = { low = 1, high = 2 }\n[sampler]\nkind = "bayes"',
            "sampler.kind: input should be",
        ),
        ("[space]", "space: dictionary should have at least 1 item"),
        ("[space", "not valid TOML"),
    ],
)
def test_a_mistake_in_a_study_file_is_one_sentence_that_names_the_file_and_the_key(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_study(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "study.toml"))
    assert "\n" not in str(caught.value)


def test_a_pruner_gives_a_model_that_learns_from_labels_the_learning_curve_of_its_own_answers(tmp_path):
    text = '[space]\n"columns.reward" = { low = 0.1, high = 0.2 }\n[pruner]\nkind = "median"\nvalidation = 100\n'
    text += 'every = 40\n[objective]\nreadout = "own"'
    keys = 'set = ["dataset.validation=100", "training.images=80", "columns.microcolumns=3"]'
    study, base = load_study(written(tmp_path, text, f'config = "colanet-digits"\n{keys}'))
    rows = train(base, tmp_path / "run", threads=1).rows("curve")
    assert [row["images"] for row in rows] == [0, 40, 80]
    assert objective(rows[-1]["accuracy"], study.objective) > objective(rows[0]["accuracy"], study.objective)


def test_a_base_without_validation_images_is_refused(tmp_path):
    text = "[space.plasticity]\nA_plus = { low = 1, high = 2 }"
    with pytest.raises(ConfigError, match=r"add 'dataset\.validation=2000'"):
        load_study(written(tmp_path, text, 'config = "digits"'))
    with pytest.raises(ConfigError, match="did you mean 'digits'"):
        load_study(written(tmp_path, text, 'config = "digts"'))
    with pytest.raises(ConfigError, match="no such file; name a study file"):
        load_study(tmp_path / "absent.toml")


def test_a_base_file_is_looked_for_beside_the_study(tmp_path):
    (tmp_path / "net.toml").write_text('[dataset]\nname = "digits"\nvalidation = 70\n[topology]\nkernel = 8\n')
    _, base = load_study(written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }", 'config = "net.toml"'))
    assert (base.topology.kernel, base.dataset.validation, base.checkpoint.every) == (8, 70, 1000)


def test_a_grid_has_every_combination_once_and_heeds_conditions():
    space = {
        "neuron.tau_v": {"low": 10, "high": 20, "step": 5, "when": {"encoder.kind": ["poisson", "regular"]}},
        "encoder.kind": {"choices": ["poisson", "regular", "poisson_isi"]},
        "topology.channels": {"low": 2, "high": 3, "integer": True},
    }
    combinations = list(grid(spec(space=space, sampler={"kind": "grid"})))
    assert len(combinations) == 2 * 2 * 3 + 2
    assert len({tuple(sorted(values.items())) for values in combinations}) == len(combinations)
    assert all(("neuron.tau_v" in values) == (values["encoder.kind"] != "poisson_isi") for values in combinations)
    assert {values.get("neuron.tau_v") for values in combinations} == {10.0, 15.0, 20.0, None}


def test_values_are_put_into_the_base_and_checked_together(tmp_path):
    _, base = load_study(written(tmp_path, "[space.neuron]\nv_thresh = { low = -80, high = -50 }"))
    assert base.updated({"neuron.v_thresh": -55.0, "topology.channels": 7}).neuron.v_thresh == -55.0
    with pytest.raises(ConfigError, match="must lie above v_rest"):
        base.updated({"neuron.v_thresh": -80.0})


@pytest.mark.parametrize("kind", ["random", "tpe", "cmaes"])
def test_what_a_sampler_draws_depends_on_the_trial_s_number_and_not_on_restarts(kind):
    import optuna

    def drawn(numbers):
        study, values = optuna.create_study(direction="maximize"), []
        for number in numbers:
            study.sampler = make_sampler(spec(sampler={"kind": kind, "startup": 2}), number)
            trial = study.ask()
            values.append((trial.suggest_float("x", 0, 1), trial.suggest_float("y", 1, 100, log=True)))
            study.tell(trial, -((values[-1][0] - 0.3) ** 2))
        return values

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    first = drawn(range(8))
    assert drawn(range(8)) == first
    assert len(set(first)) == 8


def test_a_study_of_an_older_version_keeps_its_normalisation(tmp_path):
    study, base = load_study(written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }"))
    path = StudyDirectory.join(study, base, tmp_path / "study").path / "base.toml"
    assert 'normalise = "spiked"\n' in path.read_text()
    path.write_text(path.read_text().replace('normalise = "spiked"\n', ""))
    assert StudyDirectory.open(tmp_path / "study").base.plasticity.normalise == "all"
    with pytest.raises(RunError, match='begun with a base with normalise = "all", which now has normalise = "spiked"'):
        StudyDirectory.join(study, base, tmp_path / "study")
    StudyDirectory.join(study, base.updated({"plasticity.normalise": "all"}), tmp_path / "study")


def test_a_study_s_folder_takes_the_same_study_only(tmp_path):
    study, base = load_study(written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }"))
    folder = tmp_path / "study"
    StudyDirectory.join(study, base, folder)
    opened = StudyDirectory.open(folder)
    assert (opened.spec, opened.base) == (study, base)
    longer = study.updated({"budget.trials": 99})
    assert StudyDirectory.join(longer, base, folder).spec.budget.trials == 99
    with pytest.raises(RunError, match="was begun with repeats = 1, the study file now says 2"):
        StudyDirectory.join(study.updated({"repeats": 2}), base, folder)
    with pytest.raises(RunError, match="a base with seed = 0, which now has seed = 3"):
        StudyDirectory.join(study, base.updated({"seed": 3}), folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    with pytest.raises(RunError, match="exists and is no study"):
        StudyDirectory.join(study, base, tmp_path / "other")
    with pytest.raises(RunError, match="no study here"):
        StudyDirectory.open(tmp_path / "other")
    with pytest.raises(RunError, match="has no trials yet"):
        opened.study(create=False)


def test_a_study_whose_folder_is_renamed_keeps_its_trials(tmp_path):
    study, base = load_study(written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }"))
    directory = StudyDirectory.join(study, base, tmp_path / "study")
    directory.study().ask()
    directory.path.rename(tmp_path / "renamed")
    renamed = StudyDirectory.open(tmp_path / "renamed")
    assert len(renamed.study(create=False).trials) == len(renamed.study().trials) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nothing", "no usable database URL"),
        ("nosuch://x/y", "no usable database URL"),
        ("sqlite:////no/where.db", "does not answer"),
    ],
)
def test_a_storage_that_cannot_be_used_is_named(tmp_path, url, message):
    text = "[space.neuron]\ntau_v = { low = 1, high = 9 }"
    study, base = load_study(written(tmp_path, text))
    directory = StudyDirectory.join(study.updated({"storage": url}), base, tmp_path / "study")
    with pytest.raises((ConfigError, RunError), match=message):
        directory.study()


def test_a_line_of_the_journal_that_a_crash_tore_is_cut_off(tmp_path):
    study, base = load_study(written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }"))
    directory = StudyDirectory.join(study, base, tmp_path / "study")
    directory.study().tell(directory.study().ask(), 0.5)
    with (directory.path / "journal.log").open("ab") as journal:
        journal.write(b'{"op_code": 4, "stu')
    directory.study().tell(directory.study().ask(), 0.7)
    assert [trial.value for trial in directory.study().trials] == [0.5, 0.7]


def test_the_documented_study_file_is_valid(tmp_path):
    text = (Path(__file__).parents[3] / "docs/sweeps.md").read_text()
    path = tmp_path / "study.toml"
    path.write_text(re.search(r"```toml\n(.*?)```", text, re.DOTALL).group(1))
    study, base = load_study(path)
    assert len(study.space) == 5
    assert base.training.images == 2000


@pytest.mark.parametrize("line", [b"nonsense", b"\0\0\0", b"[]", b"null", b'{"op_code": 99}', b"{}", b"[" * 9000])
def test_a_journal_with_a_line_of_something_else_is_one_sentence(tmp_path, line):
    study, base = load_study(written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }"))
    directory = StudyDirectory.join(study, base, tmp_path / "study")
    directory.study()
    with (directory.path / "journal.log").open("ab") as journal:
        journal.write(line + b"\n" + line + b"\n")
    for create in (True, False):
        with pytest.raises(RunError, match=r"journal\.log: damaged near line \d+ .*; restore it"):
            directory.study(create=create)


def test_two_studies_of_one_name_in_one_database_are_not_one(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    head = f'storage = "sqlite:///{tmp_path}/trials.db"\n'
    for folder, high in ((tmp_path, 9), (tmp_path / "elsewhere", 8)):
        path = written(folder, f"[space.neuron]\ntau_v = {{ low = 1, high = {high} }}")
        path.write_text(head + path.read_text())
        study, base = load_study(path)
        directory = StudyDirectory.join(study, base, folder / "study")
        if high == 9:
            directory.study()
            continue
        with pytest.raises(RunError, match="has a study named study with another base or space"):
            directory.study()


def test_a_password_is_never_shown_and_may_change(tmp_path, monkeypatch):
    study, base = load_study(written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }"))
    for password in ("secret", "newer"):
        url = f"nosuch://me:{password}@host/x"
        directory = StudyDirectory.join(study.updated({"storage": url}), base, tmp_path / "study")
        with pytest.raises(ConfigError, match=r"nosuch://me:\*\*\*@host/x") as error:
            directory.study()
        assert password not in str(error.value)
        assert password in (directory.path / "study.toml").read_text()
        assert (directory.path / "study.toml").stat().st_mode & 0o077 == 0


def test_the_path_of_a_database_file_does_not_depend_on_the_folder_it_is_called_from(tmp_path, monkeypatch):
    path = written(tmp_path, "[space.neuron]\ntau_v = { low = 1, high = 9 }")
    path.write_text('storage = "sqlite:///trials.db"\n' + path.read_text())
    monkeypatch.chdir(tmp_path)
    assert load_study(path)[0].storage == f"sqlite:///{tmp_path}/trials.db"


@pytest.mark.parametrize(
    ("dimension", "message"),
    [
        ("low = 0, high = 1, step = 1e-12", "at most 1000000"),
        ("low = 0, high = 1000000000000, integer = true", "at most 1000000"),
        ("low = -1e308, high = 1e308", "too large"),
        ("low = 0, high = 1, step = 1e-300", "too small"),
    ],
)
def test_a_grid_that_no_machine_can_hold_is_refused(tmp_path, dimension, message):
    text = f"[space.neuron]\ntau_v = {{ {dimension} }}\n[sampler]\nkind = 'grid'"
    with pytest.raises(ConfigError, match=message):
        load_study(written(tmp_path, text))


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_studies_of_the_documentation_can_be_run_as_they_are(path):
    study, base = load_study(path)
    assert study.budget.trials >= 60
    assert study.objective.readout == "log_evidence"
    assert base.competition.is_learned == ("learned" in path.stem)
    for end in ("low", "high"):
        base.updated({key: getattr(dimension, end) for key, dimension in study.space.items()})
