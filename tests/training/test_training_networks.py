"""Networks in training: they equal those that are played, grow smoothly, and have valid gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from perform.generators.dcgan.network import synthesis as played_dcgan
from perform.generators.stylegan2.network import Network, enlarged
from perform.training import dcgan, stylegan2
from perform.training.discriminator import GROUP, StyleGAN2Discriminator, low_pass, minibatch_deviation
from perform.training.networks import network_config
from perform.training.random_streams import RandomStreams
from perform.training.settings import RunError, TrainingSettings, read_settings

TINY = TrainingSettings("stylegan2", (16, 16), channels=(64, 8), z_dim=8, w_dim=8, mapping=2)
DCGAN = TrainingSettings("dcgan", (16, 16), channels=(64, 8), z_dim=8)


def drawn(settings: TrainingSettings = TINY, seed: int = 0) -> stylegan2.StyleGAN2Generator:
    made = stylegan2.StyleGAN2Generator(stylegan2.stylegan2_config(settings), settings.precision)
    with torch.no_grad():
        made.initialise(RandomStreams(seed))
        for layer in made.network.synthesis.convolutions():
            layer.noise_strength.fill_(0.1)
    return made


def test_the_trained_network_is_the_played_network() -> None:
    made = drawn()
    z = RandomStreams(1).normal("z", [0, 1], 8)
    network = Network.load(made.weights({}))
    w = network.mapping(z)
    ws = w[:, None].expand(-1, made.config.space.num_ws, -1)
    torch.testing.assert_close(made.shown(z), network.synthesis(ws, network.synthesis.stored_noise()))


def test_the_mapping_can_train_at_the_full_rate() -> None:
    """It starts like the slow one: the stored weights are larger by as much as they are scaled down."""
    slow, fast = drawn(), drawn(replace(TINY, mapping_rate=1.0))
    z = RandomStreams(1).normal("z", [0, 1], 8)
    torch.testing.assert_close(slow.network.mapping(z), fast.network.mapping(z))
    weights = [made.weights({}).arrays["mapping.fc0.weight"] for made in (slow, fast)]
    np.testing.assert_allclose(weights[0], 100 * weights[1], rtol=1e-5)


def test_rectangular_sizes_can_be_trained() -> None:
    made = drawn(TrainingSettings("stylegan2", (32, 18), channels=(64, 8), z_dim=8, w_dim=8, mapping=2))
    assert made.config.start == (9, 16) and made.config.size == (32, 18)
    pictures, _ = made.drawn(RandomStreams(0), "test", [0, 1])
    assert pictures.shape == (2, 3, 18, 32)
    assert StyleGAN2Discriminator(made.config)(pictures).shape == (2,)


def test_coarse_layers_in_reduced_precision_are_close() -> None:
    whole = drawn()
    half = stylegan2.StyleGAN2Generator(whole.config, "bfloat16")
    half.load_state_dict(whole.state_dict())
    one, other = (made.drawn(RandomStreams(0), "test", [0, 1])[0] for made in (whole, half))
    assert other.dtype == torch.float32 and not torch.equal(one, other)
    assert (one - other).square().mean() < 1e-3 * one.square().mean()


def test_samples_do_not_depend_on_their_batch() -> None:
    made, streams = drawn(), RandomStreams(3)
    together, ws = made.drawn(streams, "fake", range(4), mixing=0.9)
    alone, _ = made.drawn(streams, "fake", [2], mixing=0.9)
    torch.testing.assert_close(together[2:3], alone, rtol=1e-4, atol=1e-5)
    layers = made.drawn(streams, "fake", range(64), mixing=0.9)[1]
    mixed = (layers != layers[:, :1]).any(2).any(1).float().mean()
    assert 0.7 < mixed <= 1
    torch.testing.assert_close(ws, layers[:4])  # the last bit depends on the processor
    assert not torch.equal(together, made.drawn(RandomStreams(4), "fake", range(4), mixing=0.9)[0])


def test_growing_starts_with_the_smaller_picture_enlarged() -> None:
    small = drawn()
    config = stylegan2.grown_config(small.config, 4)
    big = stylegan2.StyleGAN2Generator(config)
    with torch.no_grad():
        big.initialise(RandomStreams(9))
    big.adopt(small.weights({}))
    assert config.size == (32, 32)
    z = RandomStreams(1).normal("z", [0], 8)
    kernel = small.network.synthesis.resample_filter
    torch.testing.assert_close(big.shown(z), enlarged(small.shown(z), kernel))


def test_only_fitting_tensors_are_copied() -> None:
    other = drawn(TrainingSettings("stylegan2", (16, 16), channels=(64, 16), z_dim=8, w_dim=8, mapping=2))
    with pytest.raises(RunError, match=r"has shape \(16, .*must be \(8, "):
        drawn().adopt(other.weights({}))


def test_a_dcgan_is_folded_on_export_and_import() -> None:
    config = dcgan.dcgan_config(DCGAN)
    made = dcgan.DCGANGenerator(config)
    made.initialise(RandomStreams(0))
    made.calibrate(RandomStreams(0))
    z = RandomStreams(1).normal("z", range(4), 8)
    weights = made.weights({})
    playing = played_dcgan(weights)
    torch.testing.assert_close(made.shown(z), torch.cat([playing(one[None]) for one in z]))
    again = dcgan.DCGANGenerator(config).eval()
    again.adopt(weights)
    torch.testing.assert_close(again.shown(z), made.shown(z), rtol=1e-4, atol=1e-4)
    assert dcgan.DCGANDiscriminator(config)(made.shown(z)).shape == (4,)


def test_the_minibatch_statistic_is_computed_per_group() -> None:
    x = torch.zeros(2 * GROUP, 1, 2, 2)
    x[: GROUP // 2] = 2.0  # half of the first group at 2, half at 0: a standard deviation of 1
    added = minibatch_deviation(x)[:, 1]
    torch.testing.assert_close(added[:GROUP], torch.ones(GROUP, 2, 2))
    torch.testing.assert_close(added[GROUP:], torch.full((GROUP, 2, 2), 1e-4))


def test_the_low_pass_keeps_a_constant_field() -> None:
    calm = low_pass(torch.ones(1, 2, 8, 8), 1, 2)
    assert calm.shape == (1, 2, 4, 4)
    torch.testing.assert_close(calm[:, :, 1:-1, 1:-1], torch.ones(1, 2, 2, 2))


def test_every_part_of_the_discriminator_trains() -> None:
    judge = StyleGAN2Discriminator(drawn().config)
    with torch.no_grad():
        judge.initialise(RandomStreams(0))
    logits = judge(RandomStreams(1).normal("x", range(8), 3 * 256).reshape(8, 3, 16, 16))
    assert 0.01 < logits.std() < 100
    logits.sum().backward()
    assert all(one.grad is not None and one.grad.abs().sum() > 0 for one in judge.parameters())


def test_a_discriminator_can_have_its_own_widths() -> None:
    for settings, kind in ((TINY, StyleGAN2Discriminator), (DCGAN, dcgan.DCGANDiscriminator)):
        other = read_settings(replace(settings, judge=(32, 4)).text())
        levels = 3 if kind is StyleGAN2Discriminator else 2
        assert other.judge == (32, 4) and other.discriminator_widths(levels) == (4, 4, 2)[:levels]
        config = network_config(settings)
        assert kind(config)(torch.zeros(4, 3, 16, 16)).shape == (4,)
        narrow = kind(config, "float32", other.discriminator_widths(levels))
        assert narrow(torch.zeros(4, 3, 16, 16)).shape == (4,)
        sizes = [sum(one.numel() for one in made.parameters()) for made in (kind(config), narrow)]
        assert sizes[1] < 0.6 * sizes[0]


def test_random_streams_differ_by_seed_purpose_and_sample() -> None:
    first = RandomStreams(0).normal("a", [5, 6], 4)
    for other in (RandomStreams(1).normal("a", [5, 6], 4), RandomStreams(0).normal("b", [5, 6], 4)):
        assert not torch.equal(first, other)
    assert torch.equal(first[1:], RandomStreams(0).normal("a", [6], 4))
    np.testing.assert_array_equal(np.sort(RandomStreams(0).order(3, 10)), np.arange(10))
    assert not np.array_equal(RandomStreams(0).order(0, 100), RandomStreams(0).order(1, 100))
