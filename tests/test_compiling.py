import pickle

import numpy as np

import stdpnet
from stdpnet._numba.cache import MachineCode
from stdpnet.cli.meters import meter
from stdpnet.compiling import WORDS, Pace, announce, announced
from stdpnet.training.display import ProgressDisplay
from tests.models.cases import case, images, labels


def test_missing_machine_code_is_announced_and_kept_code_is_not(tmp_path):
    heard = []
    code = MachineCode(str(tmp_path), "function", "stamp")
    with announced(lambda: heard.append(1)):
        assert code.load("signature") is None
        assert heard == [1]
        code._dump = pickle.dumps
        code.save("signature", "machine code")
        assert code.load("signature") == "machine code"
    announce()
    assert heard == [1], "heard beyond the block"


def test_the_pace_leaves_out_the_images_during_which_code_was_compiled():
    pace = Pace(100, 0.0)
    pace.compiling()
    assert pace.words(110, 10.0) == "1 images/s with compilation"
    assert pace.rate(110, 10.5) is None
    assert pace.rate(210, 20.0) == 10.0
    assert pace.words(310, 30.0) == "10 images/s"


def test_a_log_says_once_that_code_is_compiled_instead_of_no_images(capsys):
    with meter("training", 100) as progress:
        announce()
        announce()
        progress.advance(50)
    assert capsys.readouterr().err.splitlines() == [f"training: {WORDS}", "training: 50/100, 0.0 s"]


def test_a_terminal_says_so_beside_the_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with meter("training", 100) as progress:
        announce()
        assert progress._bar.tasks[0].fields["note"] == WORDS
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
    assert shown[1] == (0, 30, WORDS)
    assert shown[-1][:2] == (30, 30)
    assert "images/s with compilation" in shown[-1][2]
    assert np.all([number <= 30 for number, *_ in shown])
