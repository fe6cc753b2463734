"""ShuffleNet V2's G1 to G4 on this machine, beside the paper's tables: ratios in one run."""

from lightcourse.design import g1, g2, g3, g4


def main() -> None:
    for measure in (g1, g2, g3, g4):
        for platform in ("arm", "gpu"):
            print(f"channels of the paper's {platform} column")
            print(measure(platform=platform, seconds=8), end="\n\n")


if __name__ == "__main__":
    main()
