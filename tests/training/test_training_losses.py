"""Losses and augmentations, by numbers that can be computed by hand."""

from __future__ import annotations

from math import log, sqrt

import pytest
import torch
from torch import Tensor

from perform.training import losses
from perform.training.augment import RANDOM_NUMBERS, affine_maps, augment, colour_matrices
from perform.training.random_streams import RandomStreams


def pictures(count: int = 4, side: int = 16) -> Tensor:
    return RandomStreams(0).uniform("pictures", range(count), 3 * side * side).reshape(count, 3, side, side)


def test_the_gan_losses_equal_their_formulas() -> None:
    even = torch.zeros(3)
    assert losses.discriminator_loss(even, even).item() == pytest.approx(2 * log(2))
    assert losses.generator_loss(even).item() == pytest.approx(log(2))
    assert losses.discriminator_loss(even + 9, even - 9) < 1e-3 < losses.generator_loss(even - 9)


def test_the_gradient_penalty_of_a_plane_is_its_slope() -> None:
    x = pictures().requires_grad_(True)
    slope = torch.full((3, 16, 16), 0.5)
    penalty = losses.gradient_penalty((x * slope).sum((1, 2, 3)), x)
    assert penalty.item() == pytest.approx(0.25 * 768 / 2)


def test_the_path_length_of_a_linear_generator_is_exact() -> None:
    ws = torch.zeros(2, 5, 4, requires_grad=True)
    made = ws.sum((1, 2))[:, None, None, None].expand(2, 1, 2, 2) * torch.tensor([[1.0]])
    lengths = losses.path_lengths(made, ws, torch.ones(2, 1, 2, 2))
    # every w moves four pixels by 1, over sqrt(4); 4 values of w in each of 5 layers
    torch.testing.assert_close(lengths, torch.full((2,), 2 * sqrt(4)))


def test_the_reconstruction_loss_compares_at_three_sizes() -> None:
    one = pictures()
    assert losses.reconstruction_loss(one, one).item() == 0
    shifted, noisy = one + 0.1, one + 0.1 * (2 * (pictures() > 0.5).float() - 1)
    assert losses.reconstruction_loss(shifted, one) < losses.reconstruction_loss(noisy, one)
    assert losses.reconstruction_loss(shifted, one).item() == pytest.approx(
        0.1 * 3, rel=1e-4
    )  # at 16, 8 and 4 pixels


def test_a_gamma_lets_the_dark_count_in_the_loss_of_the_teacher() -> None:
    ground, flower = torch.full((1, 3, 4, 4), 2 * 0.04 - 1), torch.full((1, 3, 4, 4), 2 * 0.09 - 1)
    flower.requires_grad_(True)
    plain = losses.teacher_loss(flower, ground, 1.0)
    assert plain.item() == pytest.approx(2 * 0.05)
    both = losses.teacher_loss(flower, ground, 2.0)  # the roots are 0.2 and 0.3
    assert both.item() == pytest.approx(2 * (0.05 + 0.1) / 2)
    (plain_slope,) = torch.autograd.grad(plain, flower)
    (slope,) = torch.autograd.grad(both, flower)
    # the root's slope at 0.09 is 1 / (2 * 0.3)
    torch.testing.assert_close(slope, plain_slope * (1 + 1 / 0.6) / 2)


def test_a_gamma_keeps_a_slope_at_black_and_below() -> None:
    light = torch.tensor([-0.1, 0.0, 0.005, 0.01, 0.25, 1.0])
    pictures = (2 * light - 1).requires_grad_(True)
    opened = losses.opened(pictures, 2.0)
    wanted = torch.tensor([-1.0, 0.0, 0.05, 0.1, 0.5, 1.0])  # a line of slope 10 up to 0.01
    torch.testing.assert_close((opened + 1) / 2, wanted, atol=1e-6, rtol=1e-4)
    (slope,) = torch.autograd.grad(opened.sum(), pictures)
    assert slope[:3] == pytest.approx([10.0] * 3, rel=1e-4) and slope[4:] == pytest.approx([1.0, 0.5])


def test_without_a_gamma_the_loss_of_the_teacher_is_the_reconstruction_loss_bit_for_bit() -> None:
    one, other = 2 * pictures() - 1, 2 * pictures().flip(3) - 1
    assert torch.equal(losses.teacher_loss(one, other, 1.0), losses.reconstruction_loss(one, other))


def test_a_probability_of_0_augments_nothing() -> None:
    x = pictures()
    assert augment(x, 0.0, RandomStreams(0), "test", range(4)) is x


def test_augmentations_differ_and_leave_some_pictures_unchanged() -> None:
    x = pictures(1).expand(200, -1, -1, -1)
    seen = augment(x, 0.05, RandomStreams(0), "test", range(200))
    same = (seen - x).abs().amax((1, 2, 3)) < 1e-3
    assert 0.3 < same.float().mean() < 0.9  # about 0.95 to the power of the twelve kinds
    assert torch.equal(seen, augment(x, 0.05, RandomStreams(0), "test", range(200)))
    strong = augment(x, 0.8, RandomStreams(0), "test", range(200))
    assert ((strong - x).abs().amax((1, 2, 3)) > 1e-2).float().mean() > 0.95
    # a sample's augmentation is its own
    torch.testing.assert_close(strong[7:8], augment(x[:1], 0.8, RandomStreams(0), "test", [7]))


def test_augmentations_pass_gradients() -> None:
    x = pictures().requires_grad_(True)
    augment(x, 0.8, RandomStreams(0), "test", range(4)).square().mean().backward()
    assert x.grad is not None and torch.isfinite(x.grad).all() and (x.grad != 0).any()


def test_geometric_augmentations_move_as_their_names_say() -> None:
    never = torch.full((1, 20), 0.999)
    torch.testing.assert_close(affine_maps(never, 0.5, (16, 16)), torch.eye(3)[None])
    flip = never.clone()
    flip[0, :2] = 0.1
    torch.testing.assert_close(affine_maps(flip, 0.5, (16, 16)), torch.diag(torch.tensor([-1.0, 1, 1]))[None])
    turned = never.clone()
    turned[0, 2], turned[0, 3] = 0.1, 0.3  # by a quarter
    quarter = affine_maps(turned, 0.5, (16, 16))[0]
    torch.testing.assert_close(quarter[:2, :2], torch.tensor([[0.0, -1], [1, 0]]), atol=1e-6, rtol=0)
    torch.testing.assert_close(affine_maps(turned, 0.5, (32, 16)), torch.eye(3)[None])
    assert RANDOM_NUMBERS >= 20 + 12


def test_rotations_do_not_shear_wide_pictures() -> None:
    numbers = RandomStreams(0).uniform("numbers", range(64), 20)
    numbers[:, [0, 2, 6, 11, 15]] = 0.999  # no flips, quarters, shifts, stretches
    maps = affine_maps(numbers, 0.5, (64, 32))
    pixels = torch.diag(torch.tensor([32.0, 16, 1]))
    linear = (pixels @ maps @ torch.linalg.inv(pixels))[:, :2, :2]
    squared = linear.transpose(1, 2) @ linear  # a scaled turn: a multiple of the identity
    torch.testing.assert_close(squared, squared[:, :1, :1] * torch.eye(2), atol=1e-4, rtol=1e-4)


def test_colour_rotations_keep_grey() -> None:
    never = torch.full((1, 12), 0.999)
    torch.testing.assert_close(colour_matrices(never, 0.5), torch.eye(4)[None])
    hue = never.clone()
    hue[0, 6], hue[0, 7] = 0.1, 0.8
    change = colour_matrices(hue, 0.5)[0]
    torch.testing.assert_close(change @ torch.ones(4), torch.ones(4))  # white stays
    torch.testing.assert_close(change[:3, :3] @ change[:3, :3].T, torch.eye(3), atol=1e-6, rtol=0)
    assert (change - torch.eye(4)).abs().max() > 0.3
