"""Images a minute and peak memory of `vlpt predict`, and of PyTorch on the same files; see predict.sh.

    python bench/predict.py drive VLPT [--folder F] [--photos N ...] [--models mini-clip vit-b-32] [--rounds R] [--size W H]
    python bench/predict.py peer MODEL PHOTOS OUT [--bf16]

The peer is what one writes with transformers: a Dataset that opens a file with Pillow and hands it to CLIPImageProcessor,
a DataLoader of two workers and batches of 32, `get_image_features`, a product with normalised class features, a softmax,
and a CSV of the three likeliest classes. Class features are random: their number alone costs time. Both sides find the
folder's files themselves; loading the model and Python's imports are in neither's time (vlpt says how long it
classified). On a machine that other work keeps busy, the processor time an image is what to compare: that of all
threads and processes, vlpt's with its start. Memory is the largest resident set: of the peer that of its main
process, and in the second number its two workers with it.
"""
import argparse, csv, json, os, re, resource, shutil, subprocess, sys, time
from pathlib import Path

CLASSES = 7


def photos(folder, count, size):
    """`count` photos in folders of a thousand: links to 400 made ones, noise of several scales as JPEG."""
    import numpy as np
    from PIL import Image

    made = folder / f"made-{size[0]}x{size[1]}"
    if not made.exists():
        made.mkdir(parents=True)
        rng = np.random.default_rng(0)
        for i in range(400):
            image = np.zeros((size[1], size[0], 3))
            for scale in (4, 16, 64):
                small = rng.integers(0, 256, (scale, scale, 3), dtype=np.uint8)
                image += np.asarray(Image.fromarray(small).resize(size, Image.BICUBIC), dtype=float)
            image += rng.normal(0, 12, image.shape)
            Image.fromarray(np.clip(image / 3, 0, 255).astype(np.uint8)).save(made / f"{i:03}.jpg", quality=88)
    place = folder / f"photos-{count}"
    if not place.exists():
        originals = sorted(made.iterdir())
        for i in range(count):
            below = place / f"{i // 1000:03}"
            if i % 1000 == 0:
                below.mkdir(parents=True)
            os.link(originals[i % len(originals)], below / f"{i:06}.jpg")
    return place


def model(folder, name):
    """The folder of a model that both sides read: mini-clip's own, or a random ViT-B/32."""
    here = Path(__file__).resolve().parent
    mini = here.parent / "crates/vlpt-clip/assets/mini-clip"
    if name == "mini-clip":
        return mini
    place = folder / name
    if not place.exists():
        import torch
        from transformers import CLIPConfig, CLIPModel

        torch.manual_seed(0)
        vision = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=224, patch_size=32)
        text = dict(hidden_size=512, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=8, bos_token_id=49406, eos_token_id=49407)
        config = CLIPConfig(vision_config=vision, text_config=text, projection_dim=512)
        CLIPModel(config).save_pretrained(place)
        settings = json.loads((mini / "preprocessor_config.json").read_text())
        settings["crop_size"], settings["size"] = {"height": 224, "width": 224}, {"shortest_edge": 224}
        (place / "preprocessor_config.json").write_text(json.dumps(settings))
    return place


def peer(args):
    import torch
    from PIL import Image
    from transformers import CLIPModel
    from transformers.models.clip import CLIPImageProcessor

    torch.set_num_threads(2)
    clip = CLIPModel.from_pretrained(args.model, dtype=torch.bfloat16 if args.bf16 else torch.float32).eval()
    processor = CLIPImageProcessor.from_pretrained(args.model)
    torch.manual_seed(0)
    classes = torch.nn.functional.normalize(torch.randn(CLASSES, clip.config.projection_dim), dim=-1)

    class Photos(torch.utils.data.Dataset):
        def __init__(self, paths):
            self.paths = paths

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, i):
            with Image.open(self.paths[i]) as image:
                return processor(image.convert("RGB"), return_tensors="pt")["pixel_values"][0]

    begun, busy = time.perf_counter(), os.times()
    paths = sorted(str(path) for path in Path(args.photos).rglob("*.jpg"))
    loader = torch.utils.data.DataLoader(Photos(paths), batch_size=32, num_workers=2)
    done = 0
    with open(args.out, "w", newline="") as file, torch.inference_mode():
        rows = csv.writer(file)
        for pixels in loader:
            features = clip.get_image_features(pixel_values=pixels.to(clip.dtype))
            features = getattr(features, "pooler_output", features).float()
            features = torch.nn.functional.normalize(features, dim=-1)
            best = (100 * features @ classes.T).softmax(-1).topk(3)
            for values, places in zip(best.values.tolist(), best.indices.tolist()):
                rows.writerow([paths[done], *sum(zip(places, values), ())])
                done += 1
    seconds = time.perf_counter() - begun
    del loader
    now = os.times()
    used = sum(now[:4]) - sum(busy[:4])
    main = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps(dict(seconds=seconds, busy=used, images=done, main=main, all=main + 2 * worker)))


def run(command):
    """Runs a command; its standard error, seconds and largest resident set in MiB."""
    begun = time.perf_counter()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = child.communicate()
    seconds = time.perf_counter() - begun
    if child.returncode:
        sys.exit(f"{command}: {child.returncode}\n{out}{err}")
    return out, err, seconds


def measured(command, log):
    """As `run`, under a process that tells its child's largest resident set, and the seconds of all its threads."""
    inner = "import resource, subprocess, sys; r = subprocess.run(sys.argv[2:]).returncode; u = resource.getrusage(resource.RUSAGE_CHILDREN); open(sys.argv[1], 'w').write(f'{u.ru_maxrss} {u.ru_utime + u.ru_stime}'); sys.exit(r)"
    out, err, seconds = run([sys.executable, "-c", inner, log, *command])
    memory, busy = Path(log).read_text().split()
    return out, err, seconds, int(memory) / 1024, float(busy)


def drive(args):
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    vlpt = str(Path(args.vlpt).resolve())
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; photos of {args.size[0]} x {args.size[1]}\n")
    print("| model | photos | program | images a minute | ms of processor an image | of vlpt's | peak MiB | with workers |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in args.models:
        weights = model(folder, name)
        prompt = folder / f"prompt-{name}"
        if not prompt.exists():
            run([vlpt, "train", "synthetic:shapes", "--method", "zero-shot", "--model", f"local-dir:{weights}", "--out", prompt, "--quiet"])
        for count in args.photos:
            place = photos(folder, count, args.size)
            for _ in range(args.rounds):
                lines = []
                for precision in args.precisions:
                    out = folder / "answers.csv"
                    command = [vlpt, "predict", prompt, place, "--out", out, "--precision", precision, "--threads", "2"]
                    _, err, seconds, memory, busy = measured(command, folder / "memory")
                    told = re.search(r"(\d+) images in .* s, (\d+) a minute", err)
                    rate = float(told[2]) if told else 60 * count / seconds
                    lines.append((f"vlpt, {precision}", rate, busy, memory, memory))
                    if len(out.read_text().splitlines()) != count + 1:
                        sys.exit("rows are missing")
                for how in ([], ["--bf16"]) if not args.no_peer else ():
                    command = [sys.executable, __file__, "peer", weights, place, folder / "peer.csv", *how]
                    printed, _, _ = run(command)
                    peer = json.loads(printed.splitlines()[-1])
                    rate = 60 * peer["images"] / peer["seconds"]
                    lines.append((f"PyTorch, {'bf16' if how else 'f32'}", rate, peer["busy"], peer["main"], peer["all"]))
                for program, rate, busy, memory, all in lines:
                    print(f"| {name} | {count:,} | {program} | {rate:,.0f} | {1000 * busy / count:.1f} | {busy / lines[0][2]:.1f} | {memory:.0f} | {all:.0f} |", flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    for made in folder.glob("photos-*"):
        shutil.rmtree(made)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("drive")
    verb.add_argument("vlpt")
    verb.add_argument("--folder", type=Path, default=Path("target/predict"))
    verb.add_argument("--photos", type=int, nargs="+", default=[1000, 10_000, 50_000])
    verb.add_argument("--models", nargs="+", default=["mini-clip", "vit-b-32"])
    verb.add_argument("--precisions", nargs="+", default=["auto", "f32"])
    verb.add_argument("--rounds", type=int, default=1)
    verb.add_argument("--size", type=int, nargs=2, default=[640, 480])
    verb.add_argument("--no-peer", action="store_true")
    verb = verbs.add_parser("peer")
    verb.add_argument("model")
    verb.add_argument("photos")
    verb.add_argument("out")
    verb.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    drive(args) if args.verb == "drive" else peer(args)
