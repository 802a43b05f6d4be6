// The meshes: regular polygons of random sizes, places and colours, as triangles.

/** Bytes of a vertex: two floats of position, three of colour. */
export const STRIDE = 20;
/** Small, so that there are several buffers to be seen. */
export const BUFFER_SIZE = 2 ** 16;

const between = (low, high) => low + Math.random() * (high - low);

/** The vertices of a polygon, five floats each. */
export function polygon() {
  const corners = Math.floor(between(3, 40));
  const radius = between(0.02, 0.09);
  const [x, y] = [between(-0.95, 0.95), between(-0.9, 0.9)];
  const colour = [between(0.1, 0.9), between(0.3, 0.9), between(0.5, 1)];
  const corner = (i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [x + (radius * Math.cos(angle) * 9) / 21, y + radius * Math.sin(angle), ...colour];
  };
  const triangles = Array.from({ length: corners }, (_, i) => [
    x,
    y,
    ...colour.map((c) => c / 2),
    ...corner(i),
    ...corner(i + 1),
  ]);
  return new Float32Array(triangles.flat());
}
