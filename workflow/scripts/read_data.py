"""Read the measured signals of the voxels to fit."""

import json

from torrey.workflow.jobs import job
from torrey.base import artifacts
from torrey.inversion.data_keys import protocol_of
from torrey.inversion.voxel_data import data_group, read_measured
from torrey.workflow.stages import ReadData

with job(snakemake, ReadData) as work:
    stage = work.stage
    data, work.remarks[:] = read_measured(
        dict(snakemake.params.files),
        json.loads(stage.digests),
        protocol_of(stage.protocol),
        stage.sigma or None,
        stage.volumes,
    )
    group, attributes = data_group(data)
    artifacts.write(work.output, group, work.provenance, attributes=attributes, compress=False)
