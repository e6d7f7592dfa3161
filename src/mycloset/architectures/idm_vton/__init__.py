"""IDM-VTON: virtual try-on with an SDXL UNet that also takes image prompts."""
