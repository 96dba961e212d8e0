"""A network that fills in hidden patches from what is left of all frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.model.encoder import ENCODER_STRIDE, FrameEncoder, motion_channels, standardised


class Reconstructor(nn.Module):
    """The encoder's convolutions, and one linear layer that turns their maps back into pixels.

    A frame's pixels are predicted from its own maps and the mean of all frames' maps. So light a decoder leaves the work
    to the encoder, which is what is kept: SimMIM, Xie et al. 2022, arXiv:2111.09886; over several frames, VideoMAE, Tong
    et al. 2022, arXiv:2203.12602.
    """

    def __init__(self, encoder: FrameEncoder, *, motion: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.motion = motion
        self.decoder = nn.Sequential(
            nn.Conv2d(2 * encoder.size, ENCODER_STRIDE**2, kernel_size=1), nn.PixelShuffle(ENCODER_STRIDE)
        )

    def forward(self, seen: Tensor) -> Tensor:
        """seen: standardised frames with the hidden pixels at 0, (n, frames, height, width). Returns the same shape."""
        count, frames, height, width = seen.shape
        channels = motion_channels(seen, motion=self.motion).flatten(0, 1)
        maps: Tensor = self.encoder.layers(channels)
        maps = maps.view(count, frames, *maps.shape[1:])
        together = maps.mean(dim=1, keepdim=True).expand_as(maps)
        pixels: Tensor = self.decoder(torch.cat((maps, together), dim=2).flatten(0, 1))
        # The encoder rounds odd sizes up; what sticks out is cut off.
        return pixels[:, 0, :height, :width].reshape(count, frames, height, width)

    def loss(self, frames: Tensor, hidden: Tensor) -> Tensor:
        """Mean squared error over the hidden pixels, a scalar, in variances of a sample's pixels: to say the mean is 1.

        frames: raw, (n, frames, height, width); hidden: the same shape, True where a pixel is not shown. Samples are
        standardised before anything is hidden, and nothing else of a hidden pixel reaches the encoder: the change over
        time is taken of frames in which it is already gone.
        """
        whole = standardised(frames)
        filled: Tensor = self(whole.masked_fill(hidden, 0.0))
        return ((filled - whole).square() * hidden).sum() / hidden.sum()
