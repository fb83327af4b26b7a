"""Other libraries at the other end of the connection: servers for our client, and clients for our server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import picows
import pytest
import websockets
from aiohttp import web

from chat import RoomClient, SyncRoomClient, messages
from examples.chat.server import Chat
from sockspec.runtime import ConnectionLost, Options
from sockspec.runtime.options import Library
from tests.interop.programs import PATIENCE

AT = "2026-11-25T12:30:00Z"
LIBRARIES: tuple[Library, ...] = ("websockets", "picows")


def answer(text: str) -> tuple[str, ...]:
    """What a chat server that knows nothing of us answers to a message."""
    message = json.loads(text)
    said = {"id": "b7d1f0c4-9e35-4c8e-8f43-5d2a60e7c911", "room": "lobby", "author": "ann", "postedAt": AT}
    match message["type"]:
        case "sendMessage":
            said["text"] = message["data"]["text"]
            return (json.dumps({"type": "messagePosted", "timestamp": AT, "data": said}),)
        case "getHistory":
            data = {"messages": [], "hasMore": False}
            presence = {"nickname": "bob", "presence": "away"}
            return (
                json.dumps({"type": "presenceChanged", "timestamp": AT, "data": presence}),
                json.dumps({"type": "history", "timestamp": AT, "id": message["id"], "data": data}),
            )
        case _:
            return ()


@asynccontextmanager
async def aiohttp_server() -> AsyncGenerator[str]:
    """aiohttp, which would compress if it were offered."""

    async def room(request: web.Request) -> web.WebSocketResponse:
        assert request.headers["Authorization"] == "Bearer ann"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for received in socket:
            for text in answer(received.data):
                await socket.send_str(text)
            if json.loads(received.data)["type"] == "leave":
                await socket.close(code=1008, message=b"the room closes")
        return socket

    app = web.Application()
    app.router.add_get("/v1/rooms/lobby", room)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


class _Room(picows.WSListener):
    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type is picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type is picows.WSMsgType.TEXT:
            text = frame.get_payload_as_utf8_text()
            for reply in answer(text):
                # In two fragments, with a ping in between.
                payload = reply.encode()
                transport.send(picows.WSMsgType.TEXT, payload[:7], fin=False)
                transport.send_ping(b"?")
                transport.send(picows.WSMsgType.CONTINUATION, payload[7:])
            if json.loads(text)["type"] == "leave":
                transport.send_close(picows.WSCloseCode.POLICY_VIOLATION, b"the room closes")


@asynccontextmanager
async def picows_server() -> AsyncGenerator[str]:
    """picows, with each message in fragments."""

    def room(request: picows.WSUpgradeRequest) -> picows.WSListener | None:
        return _Room() if request.headers["Authorization"] == "Bearer ann" else None

    server = await picows.ws_create_server(room, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


Serving = Callable[[], AbstractAsyncContextManager[str]]
servers = pytest.mark.parametrize("serving", [aiohttp_server, picows_server])


@servers
def test_our_client_sends_asks_and_hears_and_knows_how_it_ended(serving: Serving) -> None:
    async def scenario() -> tuple[messages.History, list[messages.RoomFromServer], int, str]:
        async with asyncio.timeout(PATIENCE), serving() as url:
            async with RoomClient(room="lobby", url=url, token="ann") as room:
                await room.send_message(data=messages.SendMessageData(text="Grüße 👋" * 100))
                page = await room.get_history(data=messages.GetHistoryData(limit=1))
                await room.send_leave()
                heard = [await anext(room), await anext(room)]
                with pytest.raises(ConnectionLost) as lost:
                    await anext(room)
                return page, heard, lost.value.code, lost.value.reason

    page, heard, code, reason = asyncio.run(scenario())
    assert page.data == messages.HistoryData(messages=[], has_more=False)
    said, seen = heard
    assert isinstance(said, messages.MessagePosted)
    assert said.data.text == "Grüße 👋" * 100
    assert isinstance(seen, messages.PresenceChanged)
    assert seen.data == messages.PresenceData(nickname="bob", presence=messages.Presence.AWAY)
    assert (code, reason) == (1008, "the room closes")


@servers
def test_our_client_without_async_does_so_too(serving: Serving) -> None:
    def talk(url: str) -> messages.History:
        with SyncRoomClient(room="lobby", url=url, token="ann") as room:
            return room.get_history(data=messages.GetHistoryData(limit=1))

    async def scenario() -> messages.History:
        async with asyncio.timeout(PATIENCE), serving() as url:
            return await asyncio.to_thread(talk, url)

    assert asyncio.run(scenario()).data.has_more is False


JOIN = json.dumps({"type": "join", "timestamp": AT, "data": {"nickname": "ann"}})
SAY = json.dumps({"type": "sendMessage", "timestamp": AT, "data": {"text": "Grüße 👋"}}, ensure_ascii=False)


def serve(scenario: Callable[[str], Coroutine[Any, Any, None]], library: Library) -> None:
    """A conversation with our server, which gets the URL of a room."""

    async def conversation() -> None:
        async with asyncio.timeout(PATIENCE), Chat().serve(port=0, options=Options(library=library)) as running:
            await scenario(f"ws://127.0.0.1:{running.port}/v1/rooms/lobby")

    asyncio.run(conversation())


libraries = pytest.mark.parametrize("library", LIBRARIES)


@libraries
def test_a_client_of_websockets_may_offer_compression_and_send_fragments(library: Library) -> None:
    async def scenario(url: str) -> None:
        headers = {"Authorization": "Bearer ann"}
        async with websockets.connect(url, additional_headers=headers, compression="deflate") as room:
            assert room.response is not None
            # What is offered is not taken: compressing each connection costs memory that a server of many does not have.
            assert "Sec-WebSocket-Extensions" not in room.response.headers
            await room.send(JOIN)
            assert json.loads(await room.recv())["data"] == {"nickname": "ann", "presence": "online"}
            await room.send([SAY[:20], "", SAY[20:81], SAY[81:]])
            assert json.loads(await room.recv())["data"]["text"] == "Grüße 👋"
            await (await room.ping(b"?"))
            await room.send("{")
            error = json.loads(await room.recv())["error"]
            assert error["type"] == "/problems/malformed-message"

    serve(scenario, library)


@libraries
def test_a_client_of_aiohttp_may_offer_compression_and_ping(library: Library) -> None:
    async def scenario(url: str) -> None:
        headers = {"Authorization": "Bearer ann"}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, headers=headers, compress=15, heartbeat=5) as room,
        ):
            assert room.compress == 0
            await room.send_str(JOIN)
            assert (await room.receive_json())["data"] == {"nickname": "ann", "presence": "online"}
            await room.send_str(SAY)
            assert (await room.receive_json())["data"]["text"] == "Grüße 👋"
            await room.close(code=1000)
            assert room.close_code == 1000

    serve(scenario, library)


@libraries
def test_the_subprotocol_of_ours_is_chosen_and_the_token_in_another_is_never_told_back(library: Library) -> None:
    async def scenario(url: str) -> None:
        offered = ["unknown.v1", "sockspec", "sockspec.bearer.YW5u"]
        async with aiohttp.ClientSession() as session, session.ws_connect(url, protocols=offered) as room:
            assert room.protocol == "sockspec"
            await room.send_str(JOIN)
            assert (await room.receive_json())["type"] == "presenceChanged"
        async with websockets.connect(url, subprotocols=[websockets.Subprotocol(name) for name in offered]) as other:
            assert other.subprotocol == "sockspec"

    serve(scenario, library)


@libraries
def test_who_has_no_token_is_told_by_http(library: Library) -> None:
    async def scenario(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(url)
        assert refused.value.status == 401
        assert refused.value.headers is not None
        assert refused.value.headers["WWW-Authenticate"] == "Bearer"
        with pytest.raises(websockets.InvalidStatus) as also:
            await websockets.connect(url)
        assert json.loads(also.value.response.body or b"")["type"] == "/problems/unauthorized"

    serve(scenario, library)
