"""The losses of a training. All are means over a batch."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional

PYRAMID_LEVELS = 4  # sizes at which pictures are compared
DETAIL_WEIGHT = 2.0  # of a level's details, beside 1 for its mean
TOE = 0.01  # of 0..1: below it, a gamma is a straight line, as in sRGB; its slope would have no end at black


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's logistic loss of its logits (Goodfellow et al. 2014)."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """The generator's non-saturating loss of the discriminator's logits (Goodfellow et al. 2014)."""
    return functional.softplus(-fake).mean()


def gradient_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """Half the mean squared gradient of the logits at the pictures (R1 of Mescheder et al. 2018, Which
    training methods for GANs do actually converge?)."""
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradient.float().square().sum((1, 2, 3)).mean() / 2


def path_lengths(pictures: Tensor, ws: Tensor, noise: Tensor) -> Tensor:
    """How far each picture moves with its ws [n, layers, w_dim], along a random direction of pictures
    (Karras et al. 2020, Analyzing and improving the image quality of StyleGAN, section 3.2). [n]"""
    height, width = pictures.shape[2:]
    moved = (pictures * noise).sum() / sqrt(height * width)
    (gradient,) = torch.autograd.grad(moved, ws, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()


def reconstruction_loss(pictures: Tensor, wanted: Tensor) -> Tensor:
    """How far a picture is from the wanted one: the mean absolute difference at several sizes, and that of
    the bands between the sizes, which hold the details (a Laplacian pyramid, as in Bojanowski et al. 2018,
    Optimizing the latent space of generative networks)."""
    difference = pictures - wanted
    total = difference.new_zeros(())
    for _ in range(PYRAMID_LEVELS):
        if min(difference.shape[2:]) < 8:
            break
        coarse = functional.avg_pool2d(difference, 2)
        band = difference - functional.interpolate(coarse, scale_factor=2.0)
        total = total + difference.abs().mean() + DETAIL_WEIGHT * band.abs().mean()
        difference = coarse
    return total + difference.abs().mean()


def teacher_loss(pictures: Tensor, wanted: Tensor, gamma: float) -> Tensor:
    """The reconstruction loss of pictures in -1..1; with a gamma above 1 the mean of it and of the one after
    the gamma, in which a dark flower on a dark ground counts like a light one."""
    loss = reconstruction_loss(pictures, wanted)
    if gamma == 1:
        return loss
    return (loss + reconstruction_loss(opened(pictures, gamma), opened(wanted, gamma))) / 2


def opened(pictures: Tensor, gamma: float) -> Tensor:
    """Pictures in -1..1 with a lighter dark: their values in 0..1, to the power of 1 / gamma."""
    light = (pictures + 1) / 2
    return 2 * light * light.clamp(min=TOE) ** (1 / gamma - 1) - 1
