"""All settings in one frozen tree. Nothing else in Rollcall reads the environment.

Each field can be set by an environment variable: `ROLLCALL_` and the field's name in capitals.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import tzlocal
from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# Signed ones only: "none" is left out on purpose, and one is chosen, so that a token cannot choose itself.
JwtAlgorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "EdDSA",
]  # fmt: skip


class Settings(BaseSettings):
    """How this Rollcall runs. Descriptions are shown in the README, which a test compares with this."""

    model_config = SettingsConfigDict(
        env_prefix="ROLLCALL_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        validate_default=True,
        populate_by_name=True,
    )

    data_dir: Path = Field(Path("~/.rollcall"), description="folder for the database, tokens and logs")
    store: str = Field(
        "sqlite",
        description="`sqlite` (a file in the data folder), `sqlite:///path/to/file`, "
        "`mongodb://host/database` or `memory` (tests)",
    )
    store_timeout_s: float = Field(
        5.0, gt=0, description="seconds after which a database that does not answer is an error"
    )
    admin_password: SecretStr | None = Field(
        None, description="the admin's password; without it one is generated and shown once"
    )
    site_name: str = Field("Rollcall", description="name shown on the pages")
    grafana_url: str = Field(
        "", description="address of Grafana, for a link on the page Cluster; empty: none"
    )
    time_zone: str = Field(
        default_factory=tzlocal.get_localzone_name,
        description="IANA name of the site's time zone; default: the machine's",
    )
    address: str = Field("localhost", description="address the web app listens on")
    port: int = Field(8501, ge=1, le=65535, description="port of the web app")

    pack: str = Field(
        "auto",
        description="`auto`, `dlib-resnet` (built in), an insightface pack's name such as `buffalo_l`, "
        "or a folder that holds one",
    )
    models_dir: Path = Field(Path("~/.insightface"), description="where insightface packs are cached")
    download_timeout_s: float = Field(
        10.0, gt=0, description="seconds without a byte after which a model download is given up"
    )
    threshold: float | None = Field(
        None, ge=-1, le=1, description="cosine similarity of a match; default: the pack's own"
    )
    threads: int = Field(
        0, ge=0, description="threads for inference on this machine, shared by all actors; 0: all cores"
    )
    inference: Literal["fast", "plain"] = Field(
        "fast",
        description="`fast`: pictures of the HTTP API are looked at small first, and faces are embedded in "
        "bfloat16 where the processor can; `plain`: all as the models' libraries do it, at half the speed",
    )

    max_image_bytes: int = Field(12_000_000, gt=0, description="largest picture in bytes")
    max_image_pixels: int = Field(50_000_000, gt=0, description="largest picture in pixels")

    import_dir: Path | None = Field(
        None,
        description="folder on the server that the Import page may take photos from; none: uploads only",
    )

    cooldown_s: float = Field(
        60.0, ge=0, description="seconds in which a second punch of the same person is the same visit"
    )

    camera: Literal["auto", "websocket", "webrtc", "photo"] = Field(
        "auto",
        description="how a kiosk's pictures come in: `websocket`, `webrtc` (a video stream), `photo` (a "
        "button), or `auto`: the first of these that works",
    )
    turn_url: str = Field(
        "",
        description="TURN server for video streams of kiosks behind NAT, such as "
        "`turn:rollcall.example.org:3478`; empty: none",
    )
    turn_secret: SecretStr | None = Field(
        None, description="secret shared with the TURN server, for passwords that end by themselves"
    )
    kiosk_name: Literal["full", "first", "initials", "none"] = Field(
        "full", description="how a kiosk shows who was recognised"
    )
    liveness: Literal["off", "observe", "require"] = Field(
        "observe",
        description="whether a picture held up to the camera is looked for: `off`, `observe` (noted with "
        "the punch) or `require` (refused)",
    )
    liveness_way: Literal["passive", "active"] = Field(
        "passive",
        description="how: `passive` (a model looks at the picture) or `active` (the person is asked to move)",
    )
    liveness_models: str = Field(
        "", description="folder with MiniFASNet models, or `insightface` for its own; empty: none"
    )
    https: Literal["off", "self-signed"] = Field(
        "off", description="`self-signed` serves the pages over https, with a certificate made for a trial"
    )

    gallery: Literal["auto", "qdrant"] = Field(
        "auto",
        description="where faces are searched: `auto` (in memory; when there are many, by short codes that "
        "are kept in the data folder) or `qdrant`",
    )
    gallery_shards: int = Field(
        0, ge=0, le=64, description="actors that the gallery is spread over; 0: the DatabaseActor holds it"
    )
    gallery_exact_limit: int = Field(
        20_000, ge=0, description="templates up to which every search looks at all of them"
    )
    qdrant_url: str = Field("http://localhost:6333", description="address of the Qdrant server")
    qdrant_collection: str = Field(
        "rollcall", description="what the site's collections in Qdrant begin with; each site needs its own"
    )
    qdrant_api_key: SecretStr | None = Field(None, description="key of the Qdrant server, if it wants one")

    api_address: str = Field("127.0.0.1", description="address the HTTP API listens on")
    api_port: int = Field(8000, ge=0, le=65535, description="port of the HTTP API; 0: no API")
    api_url: str = Field(
        "",
        description="address at which others reach the HTTP API, such as "
        "`https://rollcall.example.org:8443`, for calendar addresses; empty: the browser's host and "
        "the API's port",
    )
    api_proxy: Literal["haproxy", "python"] = Field(
        "haproxy", description="what stands before the API: HAProxy, or Ray's own proxy, which is slower"
    )
    api_replicas: int = Field(1, ge=1, le=8, description="fewest processes that answer the HTTP API")
    api_replicas_max: int = Field(
        0,
        ge=0,
        le=8,
        description="most such processes, when many requests are under way; 0: as many as "
        "`ROLLCALL_API_REPLICAS`",
    )
    api_max_waiting: int = Field(
        256, gt=0, description="pictures that may wait for recognition; further ones are answered with 503"
    )
    api_deadline_s: float = Field(
        5.0, gt=0, description="seconds after which a picture that still waits is dropped"
    )

    ray_address: str = Field(
        "",
        validation_alias=AliasChoices("ROLLCALL_RAY_ADDRESS", "RAY_ADDRESS"),
        description="Ray cluster to use: `10.0.0.5:6379` on one of its machines, `ray://10.0.0.5:10001` on "
        "others; empty: `RAY_ADDRESS`, and without that a local one",
    )
    actors: int = Field(
        0, ge=0, description="most FaceEmbeddingActors at once; 0: as many as the nodes have room for"
    )
    actors_min: int = Field(
        0,
        ge=0,
        description="fewest that are kept while there is little to do; 0: always as many as "
        "`ROLLCALL_ACTORS` allows",
    )
    gpus_per_actor: float = Field(
        0.0, ge=0, description="share of a GPU that each of them gets, such as `0.25`; 0: they use none"
    )
    call_timeout_s: float = Field(
        20.0, gt=0, description="seconds after which an actor that does not answer is an error"
    )

    api_max_batch: int = Field(32, ge=1, le=1000, description="most pictures in one request to the HTTP API")
    api_max_body_bytes: int = Field(
        64_000_000, gt=0, description="largest request with several pictures, in bytes"
    )
    api_requests_per_minute: int = Field(
        0, ge=0, description="requests a minute for each token and each API process; 0: no limit"
    )
    api_cors_origins: str = Field(
        "",
        description="web pages that may call the API, such as `https://hr.example.org`, separated by "
        "commas; empty: none",
    )
    webhook_private: bool = Field(
        False,
        description="`True` lets webhooks call servers of the site's own network and this machine, too",
    )
    api_monitor_key: SecretStr | None = Field(
        None,
        min_length=24,
        description="API key with the role `monitor` that needs no database, for Prometheus; at least 24 "
        "characters; none: `rollcall token create` makes such keys",
    )
    export_dir: Path | None = Field(
        None, description="folder on the server below which scheduled exports are put; none: e-mail only"
    )
    smtp_host: str = Field("", description="mail server for scheduled exports; empty: no e-mail is sent")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port; 465 is usual for `tls`")
    smtp_security: Literal["starttls", "tls", "off"] = Field(
        "starttls",
        description="`starttls`, `tls` (from the first byte on) or `off`, which sends no password except to "
        "this machine",
    )
    smtp_user: str = Field("", description="user at the mail server; empty: it wants none")
    smtp_password: SecretStr | None = Field(None, description="password of that user")
    smtp_sender: str = Field("", description="address that messages are from, such as `rollcall@example.org`")
    jwt_key: SecretStr | None = Field(
        None,
        description="secret, or public key as PEM text, that checks JSON Web Tokens; none: only API keys "
        "are let in",
    )
    jwt_algorithm: JwtAlgorithm = Field("HS256", description="the one algorithm that those tokens may use")
    jwt_audience: str = Field("", description="what their `aud` has to be; empty: anything")
    jwt_issuer: str = Field("", description="what their `iss` has to be; empty: anything")

    log_format: Literal["text", "json"] = Field(
        "text", description="how servers write their logs: `text` for people or `json` for programs"
    )
    otlp_endpoint: str = Field(
        "",
        description="OTLP receiver for traces, such as `http://otel:4318`; empty: no traces. Needs "
        "`requirements-tracing.txt`",
    )

    oidc_button: str = Field(
        "", description="words on the button that signs in with the identity provider; empty: no such button"
    )
    oidc_roles: str = Field(
        "",
        description="roles for groups of the identity provider, such as `rollcall-admins=admin, hr=manager`; "
        "empty: only people with an account get in",
    )
    oidc_groups_claim: str = Field("groups", description="claim of the ID token that holds those groups")
    oidc_trust_email: bool = Field(
        False,
        description="`True` takes e-mail addresses that the provider does not mark as verified; only where "
        "nobody can choose their own address there",
    )

    @field_validator("data_dir", "models_dir", "import_dir", "export_dir")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone name such as Europe/Berlin") from error
        return value

    @property
    def cors_origins(self) -> list[str]:
        """The origins of `api_cors_origins`."""
        return [origin.strip().rstrip("/") for origin in self.api_cors_origins.split(",") if origin.strip()]

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)
