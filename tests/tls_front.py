"""TLS before a server that speaks none: `tls_front.py PORT SERVED CERTIFICATE KEY`, until it is killed."""

import asyncio
import ssl
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from functools import partial

_BLOCK = 1 << 16


async def main(port: str, served: str, certificate: str, key: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(partial(answer, int(served)), "127.0.0.1", int(port), ssl=context)
    await server.serve_forever()


async def answer(served: int, reader: StreamReader, writer: StreamWriter) -> None:
    """Pass on what both sides say, until one of them goes."""
    behind, ahead = await asyncio.open_connection("127.0.0.1", served)
    await asyncio.gather(pass_on(reader, ahead), pass_on(behind, writer))


async def pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(_BLOCK):
            writer.write(block)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
