import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from stdpnet.data import contact_sheet, describe, load_dataset
from stdpnet.spec.dataset import DatasetSpec


@pytest.fixture
def dataset(little_mnist):
    return load_dataset(DatasetSpec(name="mnist", calibration=10))


def test_the_summary_is_json_and_counts_the_images(dataset):
    summary = json.loads(json.dumps(describe(dataset)))
    assert summary["name"] == "mnist"
    assert summary["shape"] == [20, 20]
    assert summary["classes"] == list("0123456789")
    assert summary["images"] == {"train": 20, "validation": 0, "calibration": 10, "test": 10}
    assert summary["per_class"]["train"] == dict(zip("0123456789", [1, 1, 3, 2, 2, 2, 1, 3, 2, 3], strict=True))
    assert summary["mean_ink"] == pytest.approx(14.55 / 255)
    assert summary["sha256"] == dataset.sha256


def test_a_contact_sheet_is_a_png_with_a_row_per_class(dataset, tmp_path):
    full = contact_sheet(dataset.train, dataset.classes, tmp_path / "new" / "sheet.png", columns=4)
    half = contact_sheet(dataset.train, dataset.classes, tmp_path / "half.png", columns=4, rows=5)
    with Image.open(full) as sheet, Image.open(half) as other:
        assert sheet.format == "PNG"
        assert sheet.height == pytest.approx(2 * other.height, rel=0.1)


def test_a_contact_sheet_shows_the_images(dataset, tmp_path):
    with Image.open(contact_sheet(dataset.test, dataset.classes, tmp_path / "sheet.png", columns=2)) as sheet:
        greys = np.unique(np.asarray(sheet.convert("L")))
    for grey in range(30, 40):
        assert np.abs(greys.astype(int) - grey).min() <= 1  # matplotlib's colour map may round


def test_a_contact_sheet_of_no_images_is_refused(dataset, tmp_path, one_clear_error):
    with one_clear_error("contact sheet", "no images"):
        contact_sheet(dataset.validation, dataset.classes, tmp_path / "sheet.png")


def test_a_contact_sheet_needs_no_screen_and_no_pyplot(tmp_path):
    code = """
import sys
import numpy as np
from stdpnet.data import Split, contact_sheet
numbers = np.arange(20)
images = np.tile(numbers.astype(np.uint8)[:, None, None], (1, 20, 20))
contact_sheet(Split(images, numbers % 10, numbers), tuple("0123456789"), sys.argv[1])
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "sheet.png")], check=True)
