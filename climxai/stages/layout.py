"""Where a run's files lie: the contract people script against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths below one output directory."""

    root: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.root / "config.yaml"

    @property
    def provenance(self) -> Path:
        """Versions, digests of inputs, command and times, per stage."""
        return self.root / "provenance.json"

    @property
    def log(self) -> Path:
        """The log of every command run into this directory."""
        return self.root / "run.log"

    @property
    def scores(self) -> Path:
        """Scores per seed and part, and of the baselines."""
        return self.root / "scores.json"

    @property
    def loss_curves(self) -> Path:
        """The picture of the training curves."""
        return self.root / "networks" / "loss.png"

    @property
    def report(self) -> Path:
        """The page of the run."""
        return self.root / "report.html"

    def network(self, seed: int) -> Path:
        """Return the bundle of one seed."""
        return self.root / "networks" / f"seed-{seed}"

    def null_network(self, number: int) -> Path:
        """Return the bundle of one network trained on shuffled labels."""
        return self.root / "networks" / f"null-{number}"

    @property
    def index(self) -> Path:
        """The list of all shards with their keys."""
        return self.root / "relevance" / "index.json"

    def shard(self, method: str, seed: int, number: int) -> Path:
        """Return one file of relevance."""
        return self.root / "relevance" / method / f"seed-{seed}" / f"shard-{number:05d}.nc"

    def null_shard(self, method: str, network: int, number: int) -> Path:
        """Return one file of relevance of a network trained on shuffled labels."""
        return self.root / "relevance" / method / f"null-{network}" / f"shard-{number:05d}.nc"

    def composite(self, method: str) -> Path:
        """Return the composite of one method."""
        return self.root / "composites" / f"{method}.nc"

    def map(self, method: str, label: str, channel: str | None, suffix: str) -> Path:
        """Return one picture; ``channel`` is named only where there are several."""
        name = f"{method}_{label}" if channel is None else f"{method}_{label}_{channel}"
        return self.root / "maps" / f"{name}.{suffix}"

    def audit(self, method: str, suffix: str) -> Path:
        """Return the audit of one method: its netCDF file or its picture."""
        return self.root / "audit" / f"{method}.{suffix}"

    def importance(self, method: str, suffix: str) -> Path:
        """Return the permutation importance of one method: its netCDF file or its picture."""
        return self.root / "importance" / f"{method}.{suffix}"

    @property
    def conservation(self) -> Path:
        """The picture of relevance along the layers, all methods in one."""
        return self.root / "audit" / "conservation.png"

    @property
    def weights(self) -> Path:
        """The first layer's weights of every seed."""
        return self.root / "weights" / "weights.nc"

    def weights_picture(self, seed: int, channel: str | None, suffix: str) -> Path:
        """Return one picture of weights; ``channel`` is named only where there are several."""
        name = f"seed-{seed}" if channel is None else f"seed-{seed}_{channel}"
        return self.weights.with_name(f"{name}.{suffix}")

    @property
    def optimal_input(self) -> Path:
        """The optimised inputs of all targets and seeds."""
        return self.root / "optimal_input" / "optimal_input.nc"

    def optimal_input_map(self, target: str, channel: str | None, suffix: str) -> Path:
        """Return one picture; ``channel`` is named only where there are several."""
        name = f"map_{target}" if channel is None else f"map_{target}_{channel}"
        return self.optimal_input.with_name(f"{name}.{suffix}")

    def optimal_input_loss(self, suffix: str) -> Path:
        """Return the picture of the loss along the steps."""
        return self.optimal_input.with_name(f"loss.{suffix}")

    @property
    def novelty(self) -> Path:
        """Novelty and rank of every sample."""
        return self.root / "novelty" / "novelty.nc"

    @property
    def novelty_ranking(self) -> Path:
        """The samples from the most to the least novel, as CSV."""
        return self.novelty.with_name("ranking.csv")

    @property
    def novelty_maps(self) -> Path:
        """Fields and reconstruction errors of the most novel samples."""
        return self.novelty.with_name("maps.nc")

    def novelty_series(self, suffix: str) -> Path:
        """Return the picture of novelty against time."""
        return self.novelty.with_name(f"novelty.{suffix}")

    def novelty_map(self, rank: int, date: str, channel: str | None, suffix: str) -> Path:
        """Return one picture; ``channel`` is named only where there are several."""
        name = f"map_{rank:02d}_{date}" if channel is None else f"map_{rank:02d}_{date}_{channel}"
        return self.novelty.with_name(f"{name}.{suffix}")

    def strategies(self, name: str, suffix: str) -> Path:
        """Return the clusters of one method and group of samples: netCDF, CSV or JSON."""
        return self.root / "strategies" / f"{name}.{suffix}"

    def strategies_picture(self, name: str, what: str, suffix: str) -> Path:
        """Return one picture of clusters: ``number``, ``embedding``, ``cluster-1``, …."""
        return self.root / "strategies" / f"{name}_{what}.{suffix}"

    def clusters(self, name: str) -> Path:
        """Return the small file that says in which cluster each sample lies."""
        return self.root / "relevance" / "clusters" / f"{name}.nc"

    def picture(self, name: str, suffix: str) -> Path:
        """Return one picture of `climxai pictures`, or the table beside it."""
        return self.root / "pictures" / f"{name}.{suffix}"

    def animation(self, name: str, suffix: str) -> Path:
        """Return one animation."""
        return self.root / "animations" / f"{name}.{suffix}"
