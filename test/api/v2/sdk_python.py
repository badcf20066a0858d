"""The official Python client, unchanged, against this service: each public method of its classes is called, of the
asynchronous ones too. Run by sdk-python.system.test.ts with COMFY_BASE_URL; prints which methods were called, and
which were not."""

import asyncio
import base64
import functools
import inspect
import io
import json
import pathlib
import sys
import tempfile

import comfy_sdk
from comfy_sdk import events
from comfy_sdk.assets import AsyncAssetFactory
from comfy_sdk.jobs import AsyncJobFactory, JobFactory

CLASSES = [
    comfy_sdk.Comfy, comfy_sdk.AsyncComfy, comfy_sdk.Asset, comfy_sdk.AsyncAsset, comfy_sdk.AssetFactory,
    AsyncAssetFactory, comfy_sdk.Workflow, comfy_sdk.WorkflowFactory, comfy_sdk.Job, comfy_sdk.AsyncJob, JobFactory,
    AsyncJobFactory, comfy_sdk.Output, comfy_sdk.AsyncOutput,
]  # fmt: skip
# Of Comfy Router, another service on another host.
ELSEWHERE = {"models"}
called: set[str] = set()
methods: list[str] = []


def counted(name, work):
    @functools.wraps(work)
    def count(*args, **kwargs):
        called.add(name)
        return work(*args, **kwargs)

    return count


for cls in CLASSES:
    for base in cls.__mro__:
        if not base.__module__.startswith("comfy_sdk"):
            continue
        for attribute, value in vars(base).items():
            name = f"{cls.__name__}.{attribute}"
            if attribute.startswith("_") or attribute in ELSEWHERE or name in methods:
                continue
            if isinstance(value, property):
                setattr(cls, attribute, property(counted(name, value.fget)))
            elif inspect.isfunction(value):
                setattr(cls, attribute, counted(name, value))
            else:
                continue
            methods.append(name)

given = json.loads(pathlib.Path(sys.argv[1]).read_text())
graph, picture = given["graph"], base64.b64decode(given["picture"])
link = given["link"]
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "workflow_api.json").write_text(json.dumps(graph))
(folder / "photo.png").write_bytes(picture)


def fresh():
    return json.loads(json.dumps(graph))


def sync():
    with comfy_sdk.Comfy(client_info="test") as client:
        # The quick start of its README.
        wf = client.workflows.from_file(folder / "workflow_api.json")
        asset = client.assets.from_file(folder / "photo.png")
        wf.set_input("1", "image", asset)
        job = client.run(wf)
        for output in job.get_outputs("2"):
            output.to_file(folder / output.name)
        made = (folder / job.outputs[0].name).read_bytes()
        assert made[1:4] == b"PNG"

        assert asset.hash.startswith("blake3:") and asset.file_path == "photo.png" and asset.created_new is True
        assert asset.job_id is None and asset.expires_at is not None
        assert asset.as_reference()["info"]["id"] == asset.id
        assert asset.get_download_url().url
        twice = client.assets.from_bytes(picture, filename="again.png")
        assert twice.commit() != asset.id and twice.created_new is False
        twice.delete()
        streamed = client.assets.from_stream(io.BytesIO(b"of a stream"), filename="x.txt")
        client.assets.delete(streamed.commit())
        client.assets.from_url(link).commit()
        assert client.assets.get(asset.id).hash == asset.hash
        assert client.assets.get(job.outputs[0].id).job_id == job.id

        output = job.outputs[0]
        assert (output.node_id, output.type, output.content_type) == ("2", "image", "image/png")
        assert output.size_bytes == len(made) and output.job_id == job.id
        assert output.to_bytes() == made and len(output.to_bytes(range=(0, 9))) == 10
        buffer = io.BytesIO()
        assert output.to_stream(buffer) == len(made) and buffer.getvalue() == made
        assert output.get_download_url().url

        labels = {"client": "acme", "run": "sync"}
        second = client.submit(client.workflows.from_json(wf.json), idempotency_key="py-once", metadata=labels)
        seen = [type(event) for event in second.events()]
        assert seen[-1] is events.StatusChange and events.OutputReady in seen
        assert second.wait(20).status == "succeeded" and second.error is None and second.metadata == labels
        assert second.refresh().result().get_workflow().format == "api"
        assert client.submit(wf, idempotency_key="py-once", metadata=labels).id == second.id
        assert [summary.id for summary in client.list_jobs(metadata=labels, limit=1)] == [second.id]
        listed = list(client.list_jobs(limit=2))
        assert {job.id, second.id} <= {summary.id for summary in listed}
        assert all(summary.create_time and summary.update_time for summary in listed)
        cancelled = client.jobs.get(client.submit(wf).id).cancel()
        assert cancelled.status in ("canceled", "succeeded")

        broken = client.workflows.from_str(json.dumps({"1": {"class_type": "NoSuchNode", "inputs": {}}}))
        refused(comfy_sdk.InvalidWorkflow, lambda: client.submit(broken))
        missing = client.workflows.from_json(fresh())
        missing.set_input("1", "image", {"__type": "core/ASSET", "info": {"id": "nowhere"}})
        refused(comfy_sdk.MissingAsset, lambda: client.submit(missing))
        refused(comfy_sdk.NotFound, lambda: client.jobs.get("00000000-0000-8000-8000-000000000000"))
        refused(comfy_sdk.IdempotencyKeyReuse, lambda: client.submit(wf, idempotency_key="py-once"))
        refused(comfy_sdk.ComfyError, lambda: client.submit(wf, metadata={"a b": "c"}), "metadata_invalid")
        refused(comfy_sdk.ComfyError, lambda: list(client.list_jobs(metadata={"a b": "c"})), "invalid_metadata_filter")
        refused(comfy_sdk.ComfyError, lambda: client.submit(wf, api_key="comfyui-partner"), "extra_data_not_supported")
        wf.remove_node("2")
        client.close()


def refused(kind, work, code=None):
    try:
        work()
    except kind as error:
        assert code is None or error.code == code, error.code
        return
    raise AssertionError(f"{kind.__name__} was not raised")


async def asynchronous():
    client = comfy_sdk.AsyncComfy(client_info="test")
    wf = client.workflows.from_json(fresh())
    asset = client.assets.from_file(folder / "photo.png")
    wf.set_input("1", "image", asset)
    job = await client.run(wf)
    output = job.get_outputs("2")[0]
    made = await output.to_bytes()
    assert made[1:4] == b"PNG"
    await output.to_file(folder / "async.png")
    buffer = io.BytesIO()
    assert await output.to_stream(buffer) == len(made)
    assert (output.node_id, output.type, output.content_type) == ("2", "image", "image/png")
    assert output.size_bytes == len(made) and output.job_id == job.id and output.name.endswith(".png")
    assert (await output.get_download_url()).url

    assert asset.hash.startswith("blake3:") and asset.file_path == "photo.png" and asset.created_new is False
    assert asset.job_id is None and asset.expires_at is not None
    assert (await asset.as_reference())["info"]["id"] == asset.id
    assert (await asset.get_download_url()).url
    other = client.assets.from_bytes(b"of bytes", filename="y.txt")
    await other.commit()
    await other.delete()
    streamed = client.assets.from_stream(io.BytesIO(b"of a stream"), filename="x.txt")
    await client.assets.delete(await streamed.commit())
    await (await client.assets.from_url(link)).commit()
    assert (await client.assets.get(output.id)).job_id == job.id

    labels = {"run": "async"}
    second = await client.submit(wf, metadata=labels)
    seen = [type(event) async for event in second.events()]
    assert seen[-1] is events.StatusChange and events.OutputReady in seen
    assert (await second.wait(20)).status == "succeeded" and second.error is None and second.metadata == labels
    assert (await (await second.refresh()).result()).outputs
    assert (await second.get_workflow()).format == "api"
    assert [summary.id async for summary in client.list_jobs(metadata=labels)] == [second.id]
    cancelled = await (await client.jobs.get((await client.submit(wf)).id)).cancel()
    assert cancelled.status in ("canceled", "succeeded")
    await client.aclose()


sync()
asyncio.run(asynchronous())
print(json.dumps({"methods": methods, "uncalled": [name for name in methods if name not in called]}))
