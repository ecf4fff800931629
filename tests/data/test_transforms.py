import numpy as np
import pytest

from stdpnet.data.transforms import centre_crop, fit_square, rotate

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 9, 9), dtype=np.uint8)


def test_the_crop_is_centred():
    np.testing.assert_array_equal(centre_crop(IMAGES, 5), IMAGES[:, 2:7, 2:7])
    np.testing.assert_array_equal(centre_crop(IMAGES[:, :, 1:], 5), IMAGES[:, 2:7, 2:7])  # one column more on the right
    np.testing.assert_array_equal(centre_crop(IMAGES, 9), IMAGES)


def test_a_crop_larger_than_the_images_is_refused(one_clear_error):
    with one_clear_error("dataset.crop: 9", "(9 x 8)", "at most 8"):
        centre_crop(IMAGES[:, :, 1:], 9)


@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (1, 1)])
def test_the_thinnest_image_fits_a_square(shape):
    assert fit_square(np.full(shape, 255, dtype=np.uint8), 28).shape == (28, 28)


def test_resizing_leaves_black_black():
    image = np.zeros((8, 8), dtype=np.uint8)
    image[:, 4] = 255
    resized = fit_square(image, 20)
    assert resized.max() > 200
    assert resized[:, :4].max() == resized[:, -4:].max() == 0


@pytest.mark.parametrize("quarters", [0, 1, 2, 3, 4])
def test_quarter_turns_are_counter_clockwise_and_exact(quarters):
    np.testing.assert_array_equal(rotate(IMAGES, 90 * quarters), np.rot90(IMAGES, quarters, axes=(1, 2)))


def test_a_rotation_stays_within_the_range_and_undoes_itself():
    y, x = np.mgrid[-10:11, -10:11]
    blob = np.rint(255 * np.exp(-(x**2 + (y - 2) ** 2) / 20)).astype(np.uint8)[None]
    turned = rotate(blob, 30)
    assert turned.dtype == np.uint8
    assert turned.max() <= 255
    assert not np.array_equal(turned, blob)
    assert np.abs(rotate(turned, -30).astype(int) - blob).max() < 12
