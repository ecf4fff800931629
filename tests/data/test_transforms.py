import numpy as np
import pytest

from stdpnet.data.transforms import centre_crop, fit_square, noise, rotate

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


def test_noise_has_its_deviation_and_follows_its_seed():
    grey = np.full((20, 30, 30), 128, dtype=np.uint8)
    noisy = noise(grey, 10, seed=3)
    assert noisy.dtype == np.uint8
    assert noisy.std() == pytest.approx(10, rel=0.03)
    assert noisy.mean() == pytest.approx(128, abs=0.3)
    np.testing.assert_array_equal(noisy, noise(grey, 10, seed=3))
    assert not np.array_equal(noisy, noise(grey, 10, seed=4))


def test_noise_is_clipped_and_none_changes_nothing():
    np.testing.assert_array_equal(noise(IMAGES, 0, seed=0), IMAGES)
    loud = noise(IMAGES, 1e4, seed=0)
    assert set(np.unique(loud)) <= set(range(256))
    assert (np.isin(loud, (0, 255))).mean() > 0.95


def test_a_negative_deviation_is_refused(one_clear_error):
    with one_clear_error("noise", "-1"):
        noise(IMAGES, -1, seed=0)
