"""Makes the picture files of images/ and images/expected.txt: what PIL and timm make of them.

Needs pillow 13 or later, numpy, torch, torchvision and timm. Run it again only to add a fixture:
    python tests/data/make_image_fixtures.py
Encoders change, so that files made by another version may differ; expected.txt is made with them.

Lines of expected.txt (the hash is FNV-1a 64 of the bytes):
    decode <file> <width> <height> <hash of RGB>
    stored <file> <width> <height> <hash of RGB>            without the EXIF orientation
    resize <file> <width> <height> <filter> <hash of RGB>
    timm   <file> <height> <width> <crop_pct> <mode> <filter> <hash of RGB> <hash of float32 CHW>
"""

import io
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
IMAGES = HERE / "images"
sys.path.insert(0, str(HERE.parent / "python"))
import torchvision_shim  # noqa: E402, F401
from timm.data.transforms_factory import transforms_imagenet_eval  # noqa: E402


def fnv1a(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def picture(width: int, height: int) -> np.ndarray:
    """Waves and edges: something for every filter and predictor to do."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [127 + 100 * np.sin(x / (3 + c) + y * c / 7) + 27 * np.cos(y / 2) for c in range(3)]
    rgb = np.stack(waves, axis=-1)
    rgb[(x + 2 * y) % 23 < 4] = (250, 20, 90)
    return rgb.clip(0, 255).astype(np.uint8)


# --- PNG kinds that PIL does not write ---------------------------------------------------------


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def scanlines(samples: np.ndarray, bits: int) -> bytes:
    """Rows of [height, width, channels] samples, each with filter byte 0."""
    lines = b""
    for row in samples:
        if bits == 16:
            lines += b"\0" + row.astype(">u2").tobytes()
        else:
            flat = row.reshape(-1)
            unpacked = (flat[:, None] >> np.arange(bits - 1, -1, -1)) & 1
            lines += b"\0" + np.packbits(unpacked.astype(np.uint8)).tobytes()
    return lines


ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def png(samples: np.ndarray, bits: int, color: int, interlaced=False, extra=b"", data=b"") -> bytes:
    samples = samples.reshape(*samples.shape[:2], -1)
    if data:
        pass  # given instead of the samples
    elif interlaced:
        data = b"".join(
            scanlines(samples[top::dy, left::dx], bits)
            for top, left, dy, dx in ADAM7
            if samples[top::dy, left::dx].size
        )
    else:
        data = scanlines(samples, bits)
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
        + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    )  # fmt: skip


# --- BMP kinds that PIL does not write ---------------------------------------------------------


def bmp(rows: list[bytes], width: int, bits: int, palette=b"", masks=None, core=False, top_down=False):
    rows = [row + b"\0" * (-len(row) % 4) for row in rows]
    data = b"".join(rows if top_down else rows[::-1])
    if core:
        info = struct.pack("<IHHHH", 12, width, len(rows), 1, bits)
    else:
        height = -len(rows) if top_down else len(rows)
        colors = len(palette) // 4
        info = struct.pack(
            "<IiiHHIIiiII", 40, width, height, 1, bits, 3 if masks else 0, len(data), 0, 0, colors, 0
        )
        info += struct.pack("<III", *masks) if masks else b""
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + info + palette + data


def pack16(rgb: np.ndarray, green_bits: int) -> list[bytes]:
    r, g, b = (rgb[..., c].astype(np.uint16) for c in range(3))
    value = r >> 3 << (5 + green_bits) | g >> (8 - green_bits) << 5 | b >> 3
    return [row.astype("<u2").tobytes() for row in value]


# --- the files ---------------------------------------------------------------------------------


def saved(image: Image.Image, format: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def exif(orientation: int, big_endian=False) -> bytes:
    order = ">" if big_endian else "<"
    return b"Exif\0\0" + (b"MM" if big_endian else b"II") + struct.pack(
        order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0
    )


def xmp(orientation: int) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="{orientation}"/>'.encode()


def jpegs() -> dict[str, bytes]:
    rgb = Image.fromarray(picture(27, 21))
    small = Image.fromarray(picture(13, 10))
    files = {
        "420.jpg": saved(rgb, "JPEG", quality=75, subsampling="4:2:0"),
        "422.jpg": saved(rgb, "JPEG", quality=75, subsampling="4:2:2"),
        "444.jpg": saved(rgb, "JPEG", quality=90, subsampling="4:4:4"),
        "gray.jpg": saved(rgb.convert("L"), "JPEG"),
        "cmyk.jpg": saved(rgb.convert("CMYK"), "JPEG"),
        "rgb.jpg": saved(rgb, "JPEG", keep_rgb=True),
        "progressive.jpg": saved(rgb, "JPEG", progressive=True),
        "progressive_444.jpg": saved(rgb, "JPEG", progressive=True, subsampling="4:4:4"),
        "restart.jpg": saved(rgb, "JPEG", restart_marker_blocks=2),
        "exif_6_big_endian.jpg": saved(small, "JPEG", exif=exif(6, big_endian=True)),
        "xmp_8.jpg": saved(small, "JPEG", xmp=xmp(8)),
    }
    for orientation in range(1, 9):
        files[f"exif_{orientation}.jpg"] = saved(small, "JPEG", exif=exif(orientation))
    return files


def pngs() -> dict[str, bytes]:
    array = picture(27, 21)
    rgb = Image.fromarray(array)
    gray = np.array(rgb.convert("L"))
    alpha = np.roll(gray, 9, axis=1)
    rgba = np.dstack([array, alpha])
    indexed = rgb.quantize(20)
    wide = array.astype(np.uint16) * 256 + np.roll(array, 5, axis=1)
    palette = chunk(b"PLTE", bytes(range(0, 240, 20)))  # 4 of 16 colours
    return {
        "rgb.png": saved(rgb, "PNG"),
        "rgba.png": saved(Image.fromarray(rgba), "PNG"),
        "gray.png": saved(Image.fromarray(gray), "PNG"),
        "gray_alpha.png": png(np.dstack([gray, alpha]), 8, 4),
        "palette.png": saved(indexed, "PNG"),
        "palette_alpha.png": saved(indexed, "PNG", transparency=bytes(range(0, 200, 10))),
        "palette_short.png": png(gray[:, :, None] >> 4, 4, 3, extra=palette),
        "bilevel.png": saved(rgb.convert("1"), "PNG"),
        "gray_2bit.png": png(gray >> 6, 2, 0),
        "gray_4bit.png": png(gray >> 4, 4, 0),
        "gray_16bit.png": png(wide[:, :, :1], 16, 0),
        "rgb_16bit.png": png(wide, 16, 2),
        "rgba_16bit.png": png(np.dstack([wide, wide[:, :, :1]]), 16, 6),
        "color_key.png": png(array, 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", *array[3, 3]))),
        "interlaced.png": png(array, 8, 2, interlaced=True),
        "interlaced_tiny.png": png(array[:3, :2], 8, 2, interlaced=True),
        "interlaced_palette.png": png(gray >> 4, 4, 3, interlaced=True, extra=palette),
        "exif_5.png": saved(rgb, "PNG", exif=exif(5)),
    }


def bmps() -> dict[str, bytes]:
    array = picture(21, 14)
    rgb = Image.fromarray(array)
    rows = [row.tobytes() for row in array[..., ::-1]]
    palette = bytes(np.random.default_rng(3).integers(0, 256, 64).astype(np.uint8))
    nibbles = [np.array([a << 4 | b for a, b in zip(r[::2], [*r[1::2], 0])], np.uint8).tobytes()
               for r in np.array(rgb.convert("L")) >> 4]  # fmt: skip
    core_palette = bytes(b for i in range(0, 64, 4) for b in palette[i : i + 3])
    four = [np.dstack([row[..., ::-1], row[..., :1]]).tobytes() for row in array[:, None]]
    shifted = [np.dstack([row[..., :1], row[..., ::-1]]).tobytes() for row in array[:, None]]
    return {
        "rgb.bmp": saved(rgb, "BMP"),
        "palette.bmp": saved(rgb.quantize(20), "BMP"),
        "gray.bmp": saved(rgb.convert("L"), "BMP"),
        "bilevel.bmp": saved(rgb.convert("1"), "BMP"),
        "rgba.bmp": saved(rgb.convert("RGBA"), "BMP"),
        "top_down.bmp": bmp(rows, 21, 24, top_down=True),
        "palette_4bit.bmp": bmp(nibbles, 21, 4, palette),
        "palette_short.bmp": bmp(nibbles, 21, 4, palette[:24]),
        "os2.bmp": bmp(nibbles, 21, 4, core_palette, core=True),
        "555.bmp": bmp(pack16(array, 5), 21, 16),
        "565.bmp": bmp(pack16(array, 6), 21, 16, masks=(0xF800, 0x7E0, 0x1F)),
        "32bit.bmp": bmp(four, 21, 32),
        "32bit_masks.bmp": bmp(shifted, 21, 32, masks=(0xFF000000, 0xFF0000, 0xFF00)),
    }


def webps() -> dict[str, bytes]:
    array = picture(27, 21)
    rgb = Image.fromarray(array)
    rgba = Image.fromarray(np.dstack([array, np.roll(array[..., 0], 9, axis=1)]))
    return {
        "lossy.webp": saved(rgb, "WEBP", quality=70),
        "lossless.webp": saved(rgb, "WEBP", lossless=True),
        "lossy_alpha.webp": saved(rgba, "WEBP", quality=70),
        "lossless_alpha.webp": saved(rgba, "WEBP", lossless=True, exact=True),
        "exif_7.webp": saved(rgb, "WEBP", quality=70, exif=exif(7)),
        "xmp_3.webp": saved(rgb, "WEBP", quality=70, xmp=xmp(3)),
    }


def unsupported() -> dict[str, bytes]:
    """Files that decode_image refuses; no expectation is written."""
    frames = [Image.fromarray(picture(9, 7)), Image.fromarray(picture(9, 7)[::-1])]
    rle = bytes([3, 1, 0, 0, 3, 2, 0, 0, 0, 1])
    header = struct.pack("<IiiHHIIiiII", 40, 3, 2, 1, 8, 1, len(rle), 0, 0, 4, 0)
    offset = 14 + len(header) + 16
    file_header = b"BM" + struct.pack("<IHHI", offset + len(rle), 0, 0, offset)
    return {
        "animated.webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "rle.bmp": file_header + header + bytes(16) + rle,
        "bomb.png": png(np.zeros((1, 1), np.uint8), 8, 0, data=bytes(1 << 22)),
    }


# --- what they should give ---------------------------------------------------------------------


def rgb_of(data: bytes, name: str) -> Image.Image:
    if name == "gray_16bit.png":  # PIL clips these to white; tokensieve keeps the high byte
        high = np.array(Image.open(io.BytesIO(data))) >> 8
        return Image.fromarray(high.astype(np.uint8)).convert("RGB")
    return Image.open(io.BytesIO(data)).convert("RGB")


def size_and_hash(image: Image.Image) -> str:
    return f"{image.width} {image.height} {fnv1a(image.tobytes())}"


def resizes() -> list[str]:
    filters = [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC), ("lanczos", Image.LANCZOS)]
    sizes = [(20, 14), (70, 51), (27, 9), (16, 21), (27, 21), (90, 5), (1, 1), (26, 17), (5, 99)]
    image = Image.open(IMAGES / "rgb.png")
    return [
        f"resize rgb.png {w} {h} {name} {fnv1a(image.resize((w, h), filter).tobytes())}"
        for w, h in sizes
        for name, filter in filters
    ]


def timm_transforms() -> list[str]:
    lines = []
    for file in ["wide.png", "tall.png", "tiny.png"]:
        image = Image.open(IMAGES / file)
        for height, width, crop_pct in [(32, 32, 0.875), (31, 31, 0.9), (24, 32, 0.95), (48, 20, 1.0)]:
            for mode in ["center", "squash", "border"]:
                for filter in ["bicubic", "bilinear"]:
                    transform = transforms_imagenet_eval(
                        (height, width), crop_pct=crop_pct, crop_mode=mode, interpolation=filter
                    )
                    seen = image
                    for step in transform.transforms[:-2]:
                        seen = step(seen)
                    floats = transform(image).numpy().astype("<f4").tobytes()
                    lines.append(
                        f"timm {file} {height} {width} {crop_pct} {mode} {filter} "
                        f"{fnv1a(seen.tobytes())} {fnv1a(floats)}"
                    )
    return lines


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    lines = []
    for name, data in (jpegs() | pngs() | bmps() | webps()).items():
        (IMAGES / name).write_bytes(data)
        image = rgb_of(data, name)
        oriented = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        turned = oriented.convert("RGB") if name != "gray_16bit.png" else image
        lines.append(f"decode {name} {size_and_hash(turned)}")
        if turned.tobytes() != image.tobytes():
            lines.append(f"stored {name} {size_and_hash(image)}")
    for name, data in unsupported().items():
        (IMAGES / name).write_bytes(data)
    for name, size in {"wide.png": (45, 29), "tall.png": (19, 55), "tiny.png": (7, 5)}.items():
        Image.fromarray(picture(*size)).save(IMAGES / name)
    lines += resizes() + timm_transforms()
    (IMAGES / "expected.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
