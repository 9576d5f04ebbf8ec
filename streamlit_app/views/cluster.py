"""The machines and the parts of Rollcall on them: what is wrong, how busy they are, who they are."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.beside import Beside
from ray_backend.domain.cluster import ClusterStatus, PartState
from ray_backend.domain.cluster_health import complaints, lately
from ray_backend.domain.errors import Unavailable, WrongCredentials
from ray_backend.domain.figures import Moment
from streamlit_app import cluster_plots, cluster_words, deps
from streamlit_app.i18n import _, message
from streamlit_app.session import guarded

EVERY_S = 5


@guarded("cluster")
def render(backend: Backend) -> None:
    """Looks again every EVERY_S seconds."""
    st.title(_("Cluster"))
    st.caption(_("This page looks again every {seconds} seconds.", seconds=EVERY_S))
    _look(backend)
    _links()


@st.fragment(run_every=EVERY_S)
def _look(backend: Backend) -> None:
    try:
        status, moments = backend.cluster.status(), backend.cluster.history()
        beside = backend.beside.current() if status is not None else None
    except WrongCredentials:
        st.rerun()
    except Unavailable as error:
        st.error(message(error), icon=":material/error:")
        return
    if status is None:
        st.info(_("Everything runs in one process here, so there is no cluster."), icon=":material/computer:")
        return
    _troubles(status, moments)
    _figures(status, moments)
    if beside is not None:
        _second_pack(beside)
    if moments:
        cluster_plots.show(moments, deps.site().zone)
    _machines(status)
    _parts(status)


def _troubles(status: ClusterStatus, moments: tuple[Moment, ...]) -> None:
    found = complaints(status, moments)
    for one in found:
        show = st.error if one.urgent else st.warning
        show(cluster_words.complaint(one), icon=":material/error:" if one.urgent else ":material/warning:")
    if not found:
        st.success(_("All is well."), icon=":material/check_circle:")


def _figures(status: ClusterStatus, moments: tuple[Moment, ...]) -> None:
    ready = sum(part.state is PartState.READY for part in status.pool.parts)
    recent = lately(status.at, moments)
    pictures = sum(moment.pictures for moment in recent) / len(recent) if recent else 0.0
    row = st.container(horizontal=True, key="cluster-figures")
    row.metric(_("Machines"), sum(node.alive for node in status.nodes))
    row.metric(
        _("Looking at faces"),
        _("{ready} of {wanted}", ready=ready, wanted=status.pool.wanted),
        help=_("There is room for {room}.", room=status.pool.room),
    )
    row.metric(_("Pictures a second"), f"{pictures:.1f}", help=_("On average over the last minute."))
    row.metric(_("Pictures waiting"), sum(queue.waiting for queue in status.queues))
    row.metric(_("Faces to search"), sum(one.templates for one in status.galleries))
    row.metric(_("Punches waiting"), "–" if status.journal is None else status.journal)


def _second_pack(beside: Beside) -> None:
    tried = _(
        "The face models {pack} are tried on {share} of the recognitions. They decide nothing.",
        pack=beside.pack.pack_id,
        share=f"{beside.share:.0%}",
    )
    st.info(tried, icon=":material/science:")


def _machines(status: ClusterStatus) -> None:
    st.subheader(_("Machines"))
    rows = [
        {
            _("Machine"): node.host,
            _("Address"): node.address,
            _("State"): cluster_words.machine_state(node),
            _("Cores"): node.resources.get("CPU", 0),
            _("Graphics cards"): node.resources.get("GPU", 0),
            _("Memory in GB"): node.resources.get("memory", 0) / 1e9,
            _("Parts"): len(node.parts),
        }
        for node in sorted(status.nodes, key=lambda node: (not node.alive, node.host))
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        alt=_("Machines"),
        column_config={
            _("Cores"): number(format="%d"),
            _("Graphics cards"): number(format="%d"),
            _("Memory in GB"): number(format="%.1f"),
        },
    )


def _parts(status: ClusterStatus) -> None:
    st.subheader(_("Parts"))
    hosts = {node.node_id: node.host for node in status.nodes}
    versions = {one.name: one.version for one in status.galleries}
    rows = [
        {
            _("Part"): part.name,
            _("State"): cluster_words.state(part.state),
            _("Machine"): hosts.get(part.node_id, "–"),
            _("Process"): str(part.pid or "–"),
            _("Version of the faces"): str(versions.get(part.name, "–")),
        }
        for part in (*status.others, *status.pool.parts)
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", alt=_("Parts"))
    queues = [
        {_("Who sends"): queue.name, _("Waiting"): queue.waiting, _("Under way"): queue.under_way}
        for queue in status.queues
    ]
    if queues:
        st.subheader(_("Queues"))
        st.dataframe(pd.DataFrame(queues), hide_index=True, width="stretch", alt=_("Queues"))


def _links() -> None:
    settings = deps.settings()
    st.subheader(_("More"))
    if settings.grafana_url:
        st.link_button(_("Dashboards in Grafana"), settings.grafana_url, icon=":material/monitoring:")
    else:
        st.caption(
            _(
                "With Prometheus and Grafana (docs/observability.md) there are dashboards over weeks, too. "
                "Name their address in ROLLCALL_GRAFANA_URL, and it stands here."
            )
        )
    st.caption(
        _(
            "Ray's own dashboard is open on the head machine only: look at http://127.0.0.1:8265 there, or "
            "through a tunnel, such as `ssh -L 8265:127.0.0.1:8265`."
        )
    )
