"""Sending a notice by the way of its endpoint."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cab_registry.domain.errors import Defect
from cab_registry.services.delivery.addresses import Resolver, resolve
from cab_registry.services.delivery.attempts import Attempt
from cab_registry.services.delivery.delivering import Clock
from cab_registry.services.delivery.mail import Composer, Mailer, read_notice, unsubscribe_address
from cab_registry.services.delivery.sealing import Random, Sealer, address_context, make_sealer, secret_context
from cab_registry.services.delivery.webhooks import WebhookSender, split_secrets
from cab_registry.settings import Settings, read_mail_server, read_networks
from cab_registry.storage.deliveries import Claimed
from cab_registry.storage.endpoints import is_blocked
from cab_registry.storage.errors import operational_faults


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that mail needs, where this registry sends any."""

    mailer: Mailer
    composer: Composer
    public_address: str


class NoticeSender:
    """Opens what was sealed and sends, by webhook or by mail; what comes of it is data."""

    def __init__(
        self, engine: AsyncEngine, sealer: Sealer, webhooks: WebhookSender, post: Post | None, clock: Clock
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._webhooks = webhooks
        self._post = post
        self._clock = clock

    async def __call__(self, claimed: Claimed) -> Attempt:
        """Send a notice once.

        Raises:
            Unsealable: none of the keys opens its address.
            StorageBusy: the database does not serve now.
            Defect: the endpoint lacks what it cannot be without.
        """
        address = self._sealer.open(claimed.address, address_context(claimed.endpoint)).decode()
        if claimed.endpoint_kind == "mail":
            return await self._mail(claimed, address)
        if claimed.secret is None:
            raise Defect(f"the webhook {claimed.endpoint} has no secret")
        secrets = split_secrets(self._sealer.open(claimed.secret, secret_context(claimed.endpoint)))
        return await self._webhooks.send(address, secrets, claimed.id, claimed.payload, self._clock())

    async def close(self) -> None:
        """Let go of what is open."""
        await self._webhooks.close()
        if self._post is not None:
            self._post.mailer.close()

    async def _mail(self, claimed: Claimed, address: str) -> Attempt:
        if self._post is None:
            return Attempt(outcome="not_sent", words="this registry sends no mail: CAB_SMTP_URL is not set")
        if await self._is_blocked(self._sealer.address_digests(address)):
            return Attempt(outcome="gone", words="this address wants no mail from here")
        way_out = unsubscribe_address(self._post.public_address, claimed.endpoint, self._sealer)
        texts = [read_notice(each.payload) for each in claimed.all]
        message = self._post.composer.compose(claimed.id, texts, address, way_out, self._clock())
        return await self._post.mailer.send(message, address)

    async def _is_blocked(self, digests: Collection[bytes]) -> bool:
        with operational_faults():
            async with self._engine.connect() as connection:
                return await is_blocked(connection, digests)


def make_sender(
    engine: AsyncEngine, settings: Settings, clock: Clock, random: Random, resolver: Resolver = resolve
) -> NoticeSender:
    """Make the sender that the settings describe; who made it closes it.

    Raises:
        NoSecretKeys: there are no keys to open addresses with.
    """
    return NoticeSender(
        engine,
        make_sealer(settings.secret_keys, random),
        WebhookSender(resolver, read_networks(settings.webhook_networks)),
        _make_post(settings),
        clock,
    )


def _make_post(settings: Settings) -> Post | None:
    if settings.smtp_url is None or settings.mail_from is None or settings.public_address is None:
        return None
    return Post(
        mailer=Mailer(read_mail_server(settings.smtp_url)),
        composer=Composer(settings.mail_from, settings.public_address),
        public_address=settings.public_address,
    )
