#!/usr/bin/python3
"""widths.py > widths.c: how wide the characters of Liberation Sans are, from Debian's fonts-liberation (which has the
metrics of Arial and Helvetica). Needs python3-fonttools. The table is committed; run this where characters are added."""
from fontTools.ttLib import TTFont

FOLDER = "/usr/share/fonts/truetype/liberation/LiberationSans-"
RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0x2010, 0x2026), (0x2030, 0x203A), (0x2070, 0x208E),
          (0x2190, 0x2195), (0x2200, 0x2265)]

print("/* Made by report/figures/widths.py from fonts-liberation; do not edit. In units of the font: 2048 make an em. */")
print("/* clang-format off */")
print('#include "report/figures/widths.h"\n')
for style in ("Regular", "Bold"):
    font = TTFont(FOLDER + style + ".ttf")
    assert font["head"].unitsPerEm == 2048
    names, advance = font.getBestCmap(), font["hmtx"]
    print(f"static const uint16_t {style.lower()}[] = {{")
    for first, last in RANGES:
        row = [str(advance[names[c]][0]) if c in names else "0" for c in range(first, last + 1)]
        for i in range(0, len(row), 24):
            print("    " + ", ".join(row[i:i + 24]) + ",")
    print("};\n")
print("static const struct {\n    uint32_t first, last;\n    size_t at;\n} ranges[] = {")
at = 0
for first, last in RANGES:
    print(f"    {{0x{first:X}, 0x{last:X}, {at}}},")
    at += last - first + 1
print("""};

unsigned widths_of(uint32_t character, bool is_bold)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character >= ranges[i].first && character <= ranges[i].last) {
            size_t k = ranges[i].at + (character - ranges[i].first);
            unsigned width = is_bold ? bold[k] : regular[k];
            return width == 0 ? WIDTHS_EM : width;
        }
    return WIDTHS_EM;
}""")
