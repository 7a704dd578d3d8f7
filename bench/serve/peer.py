"""One tower and one classifier behind FastAPI, as most would write it.

python peer.py MODEL_FOLDER CLASSIFIER.npy PORT
"""

import io
import sys

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image
from starlette.concurrency import run_in_threadpool
from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

folder, classifier, port = sys.argv[1:]
processor = CLIPImageProcessor.from_pretrained(folder)
model = CLIPVisionModelWithProjection.from_pretrained(folder).eval()
texts = torch.from_numpy(np.load(classifier))
app = FastAPI()


@torch.inference_mode()
def classify(body):
    image = Image.open(io.BytesIO(body)).convert("RGB")
    pixels = processor(images=image, return_tensors="pt").pixel_values
    features = torch.nn.functional.normalize(model(pixels).image_embeds, dim=-1)
    return torch.softmax(100 * features @ texts.T, -1)[0].tolist()


@app.post("/classify")
async def answer(request: Request):
    return {"probabilities": await run_in_threadpool(classify, await request.body())}


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
