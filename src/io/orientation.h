#pragma once

#include <cstddef>
#include <span>

#include "tokensieve/io/image.h"

namespace tokensieve {

/// The orientation, 1 to 8, in EXIF data (a TIFF header and directory, with or without `Exif\0\0`
/// before it), or 0 if there is none or the data is damaged.
int exif_orientation(std::span<const std::byte> exif);

/// The same from an XMP packet: the digit after `tiff:Orientation="` or `<tiff:Orientation>`.
int xmp_orientation(std::span<const std::byte> xmp);

/// The image as it should be seen: EXIF orientations 2 to 8 turned and mirrored, others unchanged.
Image orient(Image image, int orientation);

}  // namespace tokensieve
