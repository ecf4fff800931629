import numpy as np
import pytest
from scipy import stats

from stdpnet._numba.jit import compiled
from stdpnet._numba.philox import philox, philox_many
from stdpnet.encoding import Encoder, add_spikes_per_pixel
from stdpnet.random import Stream
from stdpnet.spec.encoder import EncoderSpec
from stdpnet.spikes import SpikeTrains

KINDS = ("poisson", "poisson_isi", "regular")


@compiled
def philox_words(c0, c1, c2, c3, k0, k1):
    return philox(c0, c1, c2, c3, k0, k1)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [  # known answers that come with Random123 (Salmon et al. 2011)
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_words(counter, key, words):
    assert philox_words(*(np.uint32(n) for n in (*counter, *key))) == words


def test_many_philox_words_equal_one_by_one():
    rng = np.random.default_rng(0)
    c0, c1 = rng.integers(0, 2**32, (2, 24), dtype=np.uint32)
    key, words = (np.uint32(2**32 - 5), np.uint32(77)), np.zeros(4 * 24, np.uint32)
    philox_many(c0, c1, np.uint32(3), np.uint32(2**31), key, 19, words)
    for i in range(19):
        expected = philox_words(c0[i], c1[i], np.uint32(3), np.uint32(2**31), *key)
        np.testing.assert_array_equal(words[4 * i : 4 * i + 4], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_spikes_do_not_depend_on_threads(kind):
    images = np.random.default_rng(1).integers(0, 256, (11, 5, 5), dtype=np.uint8)
    one, three = (
        Encoder(EncoderSpec(kind=kind), 1.0, 50, 3).encode(images, Stream.TRAIN, np.arange(11), threads=threads)
        for threads in (1, 3)
    )
    assert len(one.pixels) > 100
    np.testing.assert_array_equal(one.pixels, three.pixels)
    np.testing.assert_array_equal(one.offsets, three.offsets)


def encode(
    kind="poisson", value=255, *, n=200, steps=250, rate=127.5, dt=1.0, seed=7, stream=Stream.TRAIN, first=0, retry=0
):
    """Return the raster (n, steps, 16) of images that have one value everywhere."""
    images = np.full((n, 4, 4), value, np.uint8)
    encoder = Encoder(EncoderSpec(kind=kind, max_rate=rate), dt, steps, seed)
    return raster(encoder.encode(images, stream, np.arange(first, first + n), retry=retry), 16)


def raster(trains, pixels):
    shape = len(trains.offsets), trains.steps, pixels
    steps = np.repeat(np.arange(shape[0] * shape[1]), np.diff(trains.offsets).ravel())
    places = steps * pixels + np.concatenate([trains.pixels[row[0] : row[-1]] for row in trains.offsets])
    assert (np.diff(places) > 0).all(), "ascending, none twice"
    result = np.zeros(shape, bool)
    result.reshape(-1)[places] = True
    return result


def intervals(spikes):
    """Return first spike times + 1 and all later intervals, in steps, of a raster (n, steps, pixels)."""
    trains = np.moveaxis(spikes, 1, 2).reshape(-1, spikes.shape[1])
    times = [np.nonzero(train)[0] for train in trains]
    return np.array([t[0] + 1 for t in times if len(t)]), np.concatenate([np.diff(t) for t in times])


@pytest.mark.parametrize("value", [20, 128, 255])
def test_poisson_spikes_in_each_step_with_the_probability_of_its_rate(value):
    spikes = encode("poisson", value)
    p = 127.5 * value / 255 / 1000
    by_step = spikes.sum(axis=(0, 2))
    assert stats.chisquare(by_step).pvalue > 1e-3, "every step alike"
    assert abs(spikes.mean() - p) < 4 * np.sqrt(p * (1 - p) / spikes.size)
    later = intervals(spikes)[1]
    short = np.bincount(later, minlength=12)[1:11]
    # an interval of g steps occurs at steps-g places: compare with a geometric distribution corrected for that
    places = (250 - np.arange(1, 11)) * spikes.shape[0] * spikes.shape[2]
    expected = places * p**2 * (1 - p) ** np.arange(10)
    assert stats.chisquare(short, expected * short.sum() / expected.sum()).pvalue > 1e-3


def test_poisson_steps_are_independent_of_each_other_and_of_other_pixels():
    spikes = encode("poisson", 255, n=2000).astype(float) - 0.1275
    scale = spikes.var()
    assert abs((spikes[:, 1:] * spikes[:, :-1]).mean() / scale) < 4 / np.sqrt(spikes.size)
    assert abs((spikes[:, :, 1:] * spikes[:, :, :-1]).mean() / scale) < 4 / np.sqrt(spikes.size)
    assert abs((spikes[1:] * spikes[:-1]).mean() / scale) < 4 / np.sqrt(spikes.size)


@pytest.mark.parametrize("value", [60, 255])
def test_poisson_isi_draws_whole_intervals_from_a_poisson_distribution(value):
    spikes = encode("poisson_isi", value, n=400, steps=1000)
    mean = 1000 / (127.5 * value / 255)
    first, _ = intervals(spikes)
    top = int(mean + 5 * np.sqrt(mean)) + 1
    assert len(first) == 400 * 16, "at these rates every train begins within a second"
    assert first.max() <= 1000
    expected = stats.poisson.pmf(np.arange(1, top), mean)
    expected[0] += stats.poisson.pmf(0, mean)  # an interval 0 becomes 1
    seen = np.bincount(first, minlength=top)[1:top]
    keep = expected * len(first) > 10
    assert stats.chisquare(seen[keep], expected[keep] / expected[keep].sum() * seen[keep].sum()).pvalue > 1e-3
    later = intervals(spikes)[1]
    assert later.std() / later.mean() == pytest.approx(np.sqrt(1 / mean), rel=0.05)  # CV = sqrt(rate/1000), dt = 1


def test_poisson_isi_is_the_cumulative_sum_of_its_intervals_at_high_rates():
    spikes = encode("poisson_isi", 255, rate=2000.0)  # mean interval half a step: 0 becomes 1
    expected = np.exp(-0.5) + 0.5 * np.exp(-0.5)
    assert spikes[:, 0].mean() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("value", "rate"), [(255, 127.5), (255, 100.0), (30, 127.5)])
def test_regular_has_a_constant_interval_and_a_uniform_phase(value, rate):
    spikes = encode("regular", value, rate=rate, n=500)
    interval = 1000 / (rate * value / 255)
    first, later = intervals(spikes)
    assert set(np.unique(later)) <= {int(np.floor(interval)), int(np.ceil(interval))}
    assert spikes.sum(axis=1).mean() == pytest.approx(250 / interval, rel=0.02)
    assert first.max() <= np.ceil(interval)
    expected = np.full(int(interval), 1.0)
    seen = np.bincount(first, minlength=len(expected) + 1)[1 : len(expected) + 1]
    assert stats.chisquare(seen, expected * seen.sum() / expected.sum()).pvalue > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_black_pixel_never_spikes_and_a_rate_above_one_spike_per_step_spikes_always(kind):
    assert encode(kind, 0).sum() == 0
    if kind != "poisson_isi":
        assert encode(kind, 255, rate=5000.0, n=5).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dt", [0.5, 2.0])
def test_the_rate_does_not_depend_on_the_time_step(kind, dt):
    spikes = encode(kind, 128, dt=dt, steps=int(500 / dt), n=400)
    rate = spikes.sum(axis=1).mean() / 0.5
    expected = 127.5 * 128 / 255
    if kind == "poisson_isi":  # the intervals of a train that begins at 0 with a whole interval
        expected -= (1 - 1 / (1000 / expected / dt)) / 2 / 0.5
    assert rate == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_spikes_do_not_depend_on_chunking_or_company(kind):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (6, 5, 5)).astype(np.uint8)
    encoder = Encoder(EncoderSpec(kind=kind), 1.0, 250, 3)
    together = raster(encoder.encode(images, Stream.TRAIN, np.arange(10, 16)), 25)
    for i in (3, 0, 5):
        alone = raster(encoder.encode(images[i : i + 1], Stream.TRAIN, np.array([10 + i])), 25)
        np.testing.assert_array_equal(alone[0], together[i])
    masked = images.copy()
    masked[:, 0] = 0  # other pixels' values do not matter
    np.testing.assert_array_equal(
        raster(encoder.encode(masked, Stream.TRAIN, np.arange(10, 16)), 25)[:, :, 5:], together[:, :, 5:]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_seed_stream_presentation_and_retry_each_give_other_spikes(kind):
    base = {"kind": kind, "value": 200, "n": 20}
    variants = [
        encode(**base),
        encode(**base, seed=8),
        encode(**base, seed=7 + 2**32),
        encode(**base, stream=Stream.TEST),
        encode(**base, retry=1),
        encode(**base, first=20),
        encode(**base, first=2**32),
    ]
    rate = variants[0].mean()
    for i, one in enumerate(variants):
        for other in variants[:i]:
            assert not np.array_equal(one, other)
            assert abs((one & other).mean() - rate**2) < 0.01, "no more in common than chance"


def test_more_spikes_than_expected_are_all_kept():
    encoder = Encoder(EncoderSpec(max_rate=1e-3), 1.0, 4000, 0)
    quiet = encoder.encode(np.full((1, 64, 64), 255, np.uint8), Stream.TRAIN, np.array([0]), extra_rate=999.0)
    assert len(quiet.pixels) == quiet.offsets[-1, -1] > 4000 * 4096 * 0.99


def test_no_images_give_no_spikes():
    trains = Encoder(EncoderSpec(), 1.0, 250, 0).encode(np.zeros((0, 4, 4), np.uint8), Stream.TRAIN, np.arange(0))
    assert trains.offsets.shape == (0, 251)
    assert len(trains.pixels) == 0


def test_spikes_per_pixel_are_those_of_the_presentations_without_the_gaps_between_them():
    pixels = np.array([3, 0, 3, 1, 1, 2, 3], np.int32)
    trains = SpikeTrains(pixels, np.array([[0, 1, 2], [3, 3, 4], [5, 7, 7]]))
    counts = np.array([10, 0, 0, 0])
    add_spikes_per_pixel(trains, counts)
    np.testing.assert_array_equal(counts, [11, 1, 1, 2])
