import qrcode from "qrcode-generator";

/** Black on white, whole pixels per module, a quiet zone of four. */
export function draw(canvas: HTMLCanvasElement, text: string): void {
  const code = qrcode(0, "L");
  code.addData(text, "Alphanumeric");
  code.make();
  const count = code.getModuleCount() + 8;
  const scale = Math.max(4, Math.floor(1000 / count));
  canvas.width = canvas.height = count * scale;
  const brush = canvas.getContext("2d");
  if (brush === null) return;
  brush.fillStyle = "#ffffff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.fillStyle = "#000000";
  for (let row = 0; row < count - 8; row++) {
    for (let column = 0; column < count - 8; column++) {
      if (code.isDark(row, column)) brush.fillRect((column + 4) * scale, (row + 4) * scale, scale, scale);
    }
  }
}
