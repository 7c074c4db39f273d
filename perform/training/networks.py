"""The networks of a run: the generator and the discriminator of its kind, and what of them is frozen."""

from __future__ import annotations

from typing import TypeAlias

from perform.generators.dcgan import Config as DCGANConfig
from perform.generators.stylegan2 import Config as StyleGAN2Config
from perform.training.dcgan import DCGANDiscriminator, DCGANGenerator, dcgan_config
from perform.training.discriminator import StyleGAN2Discriminator
from perform.training.settings import RunError, TrainingSettings
from perform.training.stylegan2 import StyleGAN2Generator, stylegan2_config

TrainedConfig: TypeAlias = DCGANConfig | StyleGAN2Config
GeneratorNetwork: TypeAlias = DCGANGenerator | StyleGAN2Generator
DiscriminatorNetwork: TypeAlias = DCGANDiscriminator | StyleGAN2Discriminator


def network_config(settings: TrainingSettings) -> TrainedConfig:
    """The generator's configuration that the settings ask for."""
    return dcgan_config(settings) if settings.kind == "dcgan" else stylegan2_config(settings)


def build_networks(
    config: TrainedConfig, settings: TrainingSettings, processes: int = 1
) -> tuple[GeneratorNetwork, DiscriminatorNetwork | None]:
    """Generator and discriminator; no discriminator if the teacher's loss is the only one."""
    alone = settings.teacher == 1
    if isinstance(config, DCGANConfig):
        widths = settings.discriminator_widths(len(config.kernels))
        generator = DCGANGenerator(config, settings.precision, processes)
        return generator, None if alone else DCGANDiscriminator(config, settings.precision, widths)
    widths = settings.discriminator_widths(config.blocks)
    discriminator = None if alone else StyleGAN2Discriminator(config, settings.precision, widths)
    return StyleGAN2Generator(config, settings.precision), discriminator


def freeze(
    generator: GeneratorNetwork, discriminator: DiscriminatorNetwork | None, settings: TrainingSettings
) -> None:
    """Turn off the gradients of what is frozen. RunError if nothing of the generator is left."""
    frozen = settings.freeze
    for name, parameter in generator.named_parameters():
        parameter.requires_grad_(not generator.frozen(name, frozen.mapping, frozen.generator))
    if not any(one.requires_grad for one in generator.parameters()):
        raise RunError("freeze leaves nothing of the generator to learn")
    if discriminator is not None:
        for name, parameter in discriminator.named_parameters():
            parameter.requires_grad_(not discriminator.frozen(name, frozen.discriminator))
