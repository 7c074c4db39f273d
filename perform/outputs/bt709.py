"""The show's pixels as FFmpeg's pictures, and from sRGB to BT.709, as video expects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perform.arrays import Pixels

if TYPE_CHECKING:
    import av

BT709_CODE = 1  # of matrix, primaries and curve, by ISO/IEC 23091-2
LIMITED_RANGE, FULL_RANGE = 1, 2  # by FFmpeg
RGB = "bgr0"  # the pixel format of codecs that keep sRGB as it is


def video_frame(pixels: Pixels) -> av.VideoFrame:
    """A copy of the pixels [height, width, 3], which are the show's and may change with its next frame."""
    import av

    return av.VideoFrame.from_ndarray(pixels, format="rgb24")


def converted(frame: av.VideoFrame, pixels: str) -> av.VideoFrame:
    """sRGB as it is, or to BT.709 luma and chroma in the limited range (ITU-R BT.709-6, 3.4 and 3.5).

    Without accurate rounding and the full chroma input FFmpeg is off by up to 4 levels.
    """
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    if pixels == RGB:
        return frame.reformat(format=pixels)
    video = frame.reformat(
        format=pixels,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP,
    )
    video.colorspace = video.color_primaries = video.color_trc = BT709_CODE
    video.color_range = LIMITED_RANGE
    return video
