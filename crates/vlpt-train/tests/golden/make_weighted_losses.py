"""Writes weighted_losses.json: PyTorch's weighted cross entropy of cosines, and its gradients.

    python make_weighted_losses.py           # from this folder; PyTorch 2
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent


def main():
    torch.manual_seed(0)
    cases = []
    for images, classes, width, scale in [(5, 3, 7, 5.0), (8, 4, 6, 20.0), (1, 2, 4, 100.0)]:
        image = torch.randn(images, width, dtype=torch.float64).float().double().requires_grad_()
        text = torch.randn(classes, width, dtype=torch.float64).float().double().requires_grad_()
        target = torch.randint(0, classes, (images,))
        weight = torch.rand(classes, dtype=torch.float64) * 3 + 0.1
        unit = torch.nn.functional.normalize
        logits = scale * unit(image, dim=1) @ unit(text, dim=1).T
        loss = torch.nn.CrossEntropyLoss(weight=weight)(logits, target)
        loss.backward()
        cases.append({
            "scale": scale,
            "width": width,
            "images": image.flatten().tolist(),
            "texts": text.flatten().tolist(),
            "targets": target.tolist(),
            "weights": weight.tolist(),
            "value": loss.item(),
            "d_images": image.grad.flatten().tolist(),
            "d_texts": text.grad.flatten().tolist(),
        })
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "weighted_losses.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
