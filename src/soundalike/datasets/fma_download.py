"""FMA's archives: where they are, and their checksums from FMA's README."""

from __future__ import annotations

from soundalike.datasets.archives import Archive

HOST = "https://os.unil.cloud.switch.ch/fma"
"""Address of the archives, from FMA's README."""
METADATA = Archive("fma_metadata", "f0df49ffe5f2a6008d7dc83c6915b31835dfe733")
ARCHIVES = {
    "fma-metadata": (METADATA,),
    "fma-small": (METADATA, Archive("fma_small", "ade154f733639d52e35e32f5593efe5be76c6d70")),
    "fma-medium": (
        METADATA,
        Archive("fma_medium", "c67b69ea232021025fca9231fc1c7c1a063ab50b"),
    ),
    "fma-large": (METADATA, Archive("fma_large", "497109f4dd721066b5ce5e5f250ec604dc78939e")),
    "fma-full": (METADATA, Archive("fma_full", "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab")),
}
"""Archives to fetch, by name on the command line; all need the metadata."""
