"""What is said of an autoencoder that lies in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence

from mycloset.architectures.family import Claim, Shapes
from mycloset.architectures.latent_diffusion import autoencoder
from mycloset.architectures.latent_diffusion.autoencoder import (
    FLUX_VAE,
    SD_VAE,
    Autoencoder,
    Naming,
)


def read(shapes: Shapes) -> Claim:
    """Say what an autoencoder is.

    Raises:
        NotThisError: the table holds none.
    """
    naming = autoencoder.naming_of(shapes)
    leftovers = [key for key in shapes if key.startswith(("loss.", "model_ema."))]
    return claim(autoencoder.read(shapes, naming), naming, leftovers)


def claim(vae: Autoencoder, naming: Naming, leftovers: Sequence[str] = ()) -> Claim:
    """The claim for an autoencoder of these sizes; leftovers of its training may be beside it."""
    told = ", ".join(str(width) for width in vae.widths)
    if vae == SD_VAE:
        variant, title = "vae", "Stable Diffusion VAE"
        whose: tuple[str, ...] = (
            "whose it is: SD 1.x, 2.x, XL and ft-mse have the same tensors;"
            " the latents' scale is 0.18215, XL's 0.13025",
        )
        steps: tuple[str, ...] = ("virtual_fitting", "animation.vae")
    elif vae == FLUX_VAE:
        variant, title = "vae-16ch", "AutoencoderKL with 16 latent channels (SD 3, FLUX)"
        whose = ("whether it is SD 3's or FLUX's: the latents' scale and shift differ",)
        steps = ()
    else:
        variant, title = "vae-custom", f"AutoencoderKL in widths {told}"
        whose = ("the latents' scale", "the number of norm groups")
        steps = ()
    last = "norm_out" if naming == "ldm" else "conv_norm_out"
    return Claim(
        variant=variant,
        title=title,
        config=autoencoder.config(vae),
        tensors=autoencoder.tensors(vae, naming),
        layout=naming,
        optional=dict.fromkeys(leftovers),
        evidence=(
            f"`decoder.conv_in.weight` is {[vae.widths[-1], vae.latent, 3, 3]}:"
            f" {vae.latent} latent channels",
            f"widths {told}; `decoder.{last}.weight` is [{vae.widths[0]}]",
        ),
        undecidable=whose,
        task="image encoding and decoding",
        steps=steps,
        input_channels=vae.in_channels,
        output_channels=vae.out_channels,
        licence="MIT (ft-mse), CreativeML OpenRAIL (SD's own)" if vae == SD_VAE else "",
        confidence=1.0 if variant != "vae-custom" else 0.9,
    )
