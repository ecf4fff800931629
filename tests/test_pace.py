import pickle

import numpy as np

import stdpnet
from stdpnet._numba.cache import MachineCode
from stdpnet.cli.meters import meter
from stdpnet.pace import COMPILING, Pace, announce, announced
from stdpnet.training.display import ProgressDisplay
from tests.models.cases import case, images, labels


def test_missing_machine_code_is_announced_and_kept_code_is_not(tmp_path):
    heard = []
    code = MachineCode(str(tmp_path), "function", "stamp")
    with announced(heard.append):
        assert code.load("signature") is None
        assert heard == [COMPILING]
        code._dump = pickle.dumps
        code.save("signature", "machine code")
        assert code.load("signature") == "machine code"
    announce()
    assert heard == [COMPILING], "heard beyond the block"


def test_the_pace_leaves_out_the_images_during_which_code_was_compiled():
    pace = Pace(100, 0.0)
    pace.pause(COMPILING)
    assert pace.words(110, 10.0) == "1 images/s with compilation"
    assert pace.rate(110, 10.5) is None
    assert pace.rate(210, 20.0) == 10.0
    assert pace.words(310, 30.0) == "10 images/s"


def test_the_pace_leaves_out_the_learning_curve_and_the_time_left_counts_it():
    pace = Pace(0, 0.0)
    pace.pause("learning curve")
    assert pace.words(100, 50.0) == "2 images/s with learning curve"
    assert pace.left(1000) is None
    for chunk in range(2, 11):
        assert pace.rate(100 * chunk, 50.0 + 10 * (chunk - 1)) == 10.0
    assert pace.left(1000) == 100, "the first point says nothing of how often there is one"
    pace.pause("learning curve")
    assert pace.rate(1100, 190.0) == 10.0
    assert pace.left(1100) == 110 + 40


def test_the_progress_of_a_training_says_when_the_learning_curve_is_evaluated(tmp_path, capsys):
    keys = {"training.images": 20, "topology.channels": 2, "simulation.duration": 20, "curve.every": 10}
    sizes = {"dataset.validation": 30, "curve.validation": 30, "curve.calibration": 30}
    stdpnet.train(stdpnet.load_config("digits", keys | sizes), tmp_path / "run", progress=True)
    said = capsys.readouterr().err.replace("\n", "\r").split("\r")
    places = [line.split(",")[0].strip() for line in said if "learning curve" in line and "images/s" not in line]
    assert places == ["training: 0/20", "training: 10/20"]


def test_a_log_says_once_that_code_is_compiled_instead_of_no_images(capsys):
    with meter("training", 100) as progress:
        announce()
        announce()
        progress.advance(50)
    assert capsys.readouterr().err.splitlines() == [f"training: {COMPILING}", "training: 50/100, 0.0 s"]


def test_a_terminal_says_so_beside_the_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with meter("training", 100) as progress:
        announce()
        assert progress._bar.tasks[0].fields["note"] == COMPILING
        progress.advance(50, "5 images/s")
        assert progress._bar.tasks[0].fields["note"] == "5 images/s"


def test_a_notebook_says_so_while_a_model_is_trained():
    shown = []

    class Compiles(ProgressDisplay):
        def begin(self, training):
            super().begin(training)
            advance = training.learner.advance
            training.learner.advance = lambda most: announce() or advance(most)

    display = Compiles(lambda *what: shown.append(what))
    stdpnet.fit(case("random-fully_connected"), images(), labels(), observers=[display])
    assert shown[1] == (0, 30, COMPILING)
    assert shown[-1][:2] == (30, 30)
    assert "images/s with compilation" in shown[-1][2]
    assert np.all([number <= 30 for number, *_ in shown])
