"""The scheduling plug-ins, one module each, and the ordered list in which they run.

Names, weights and texts are upstream's. Not here: VolumeRestrictions, NodeVolumeLimits, VolumeZone, DynamicResources
(nothing in a Sampan cluster makes what they look at). A foreign plug-in is appended to the list that `run` is given.
"""

from __future__ import annotations

from sampan.control_plane.scheduler.framework import Plugin
from sampan.control_plane.scheduler.plugins.image_locality import ImageLocality
from sampan.control_plane.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from sampan.control_plane.scheduler.plugins.node_affinity import NodeAffinity
from sampan.control_plane.scheduler.plugins.node_name import NodeName
from sampan.control_plane.scheduler.plugins.node_ports import NodePorts
from sampan.control_plane.scheduler.plugins.node_resources import BalancedAllocation, Fit
from sampan.control_plane.scheduler.plugins.node_unschedulable import NodeUnschedulable
from sampan.control_plane.scheduler.plugins.pod_topology_spread import PodTopologySpread
from sampan.control_plane.scheduler.plugins.taint_toleration import TaintToleration
from sampan.control_plane.scheduler.plugins.volume_binding import VolumeBinding, Volumes


def default(volumes: Volumes) -> tuple[Plugin, ...]:
    """Ours, the cheap ones that reject often first."""
    return (
        NodeUnschedulable(),
        NodeName(),
        TaintToleration(),
        NodeAffinity(),
        NodePorts(),
        Fit(),
        VolumeBinding(volumes),
        PodTopologySpread(),
        InterPodAffinity(),
        BalancedAllocation(),
        ImageLocality(),
    )
