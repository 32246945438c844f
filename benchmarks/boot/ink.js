import { strokes } from "./settings.js";

/** What the pad would give: the digit's strokes as 280 x 280 bytes. */
export function drawnInk(canvas) {
  const side = (canvas.width = canvas.height = 280);
  const context = canvas.getContext("2d");
  context.lineWidth = 20;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    for (const [x, y] of stroke) context.lineTo(x * side, y * side);
    context.stroke();
  }
  return context.getImageData(0, 0, side, side).data.filter((_, i) => i % 4 === 3);
}
