// What a graphics processor runs: fragment shaders (GLSL ES 3.00), written out for the sizes of an
// operation. Each computes the same as the function of its name in the .c files.
//
// A texel is a cell, a layer of an array texture four of its numbers. A shader writes `outs` layers
// of a cell, o[0], o[1], …, which are the layers `first`, `first` + 1, … of its part of a buffer.

export const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4. - 1., 0, 1); }`;

const each = (count, line) => Array.from({ length: count }, (_, i) => line(i)).join("\n");
const number = (value) => value.toExponential();  // what GLSL takes for a float
const vectors = (count) => Math.ceil(count / 4);

/** What all shaders begin with. */
export const prelude = ({ height, width }, outs) => `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2DArray;
uniform sampler2DArray from, to, mask;
uniform int first;
layout(location = 0) out vec4 o[${outs}];
const ivec2 SIZE = ivec2(${width}, ${height});
#define cell ivec2(gl_FragCoord.xy)
#define at(texels, p, layer) texelFetch(texels, ivec3(p, layer), 0)
#define within(count, layer) lessThan(ivec4(0, 1, 2, 3) + 4 * (layer), ivec4(count))
#define square(r) for (int y = -r; y <= r; y++) for (int x = -r; x <= r; x++)
ivec2 wrap(ivec2 p) { return (p + SIZE) % SIZE; }
bool left_out(int near) {
  square(near) if (at(mask, wrap(cell + ivec2(x, y)), 0).x > 0.) return false;
  return true;
}
`;

const main = (outs, near, before = "") => `
void main() {
  ${near === undefined ? "" : `if (left_out(${near})) discard;`}
  ${before}
  ${each(outs, (i) => `o[${i}] = layer(first + ${i});`)}
}`;

const living = (buffer, p, d) => `at(${buffer}, ${p}, ${d.living >> 2})[${d.living & 3}]`;

/** Which cells change (x), and which live before the step (y); clock: step, seed, limit. */
export const maskShader = (d) => `
uniform uvec3 clock;
void main() {
  uvec2 p = uvec2(cell);
  uint h = (p.x * 0x8da6b343u) ^ (p.y * 0xd8163841u) ^ (clock.x * 0xcb1ab31fu) ^ clock.y;
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  h = (h ^ (h >> 16)) >> 8;
  bool lives = ${d.living_threshold === null}, relevant = lives;
  ${d.living_threshold === null ? "" : `square(2)
    if (${living("from", "wrap(cell + ivec2(x, y))", d)} > ${number(d.living_threshold)}) {
      relevant = true;
      lives = lives || max(abs(x), abs(y)) < 2;
    }`}
  o[0] = vec4(relevant && h < clock.z, lives, 0, 0);
}`;

// Several rules are drawn one after another, the first in all cells, the others in their own.
const choice = (d) => (d.rules ? `
uniform sampler2DArray rules;
uniform int rule;
#define NOT_MINE rule > 0 && int(at(rules, cell, 0).x) != rule` : `
#define NOT_MINE false`);

/** The state (from) plus the change (to); what a step writes is 0 in cells that do not live. */
export const applyShader = (d, outs) => `${choice(d)}
bool lives = true;
vec4 layer(int l) {
  vec4 s = at(from, cell, l);
  if (l < ${vectors(d.channels)} && at(mask, cell, 0).x > 0.) s += at(to, cell, l);
  return lives ? s : mix(mix(s, vec4(0), within(${d.channels}, l)), s, within(${d.fixed}, l));
}
${main(outs, undefined, d.living_threshold === null ? "if (NOT_MINE) discard;" : `lives = false;
  if (at(mask, cell, 0).y > 0.) square(1) {
    ivec2 p = wrap(cell + ivec2(x, y));
    float a = ${living("from", "p", d)};
    if (at(mask, p, 0).x > 0.) a += ${living("to", "p", d)};
    lives = lives || a > ${number(d.living_threshold)};
  }`)}`;

/** A cell's layers side by side, as the kernels have them, and the way back. */
export const packShader = (layers) => `
void main() { o[0] = at(from, ivec2(cell.x / ${layers}, cell.y), cell.x % ${layers}); }`;
export const unpackShader = (layers, outs) => `
vec4 layer(int l) { return at(from, ivec2(cell.x * ${layers} + l, cell.y), 0); }
${main(outs)}`;

/** The size of the change (x), and whether the cell was computed (y). */
export const sizeShader = (d) => `${choice(d)}
void main() {
  if (NOT_MINE) discard;
  vec4 sum = vec4(0);
  float computed = at(mask, cell, 0).x;
  for (int l = 0; l < ${vectors(d.channels)}; l++) sum += at(from, cell, l) * at(from, cell, l);
  o[0] = vec4(computed > 0. ? sqrt(dot(sum, vec4(1))) : 0., computed, 0, 0);
}`;

/** `corner`: row and column of the first tap, where they do not lie around the cell. */
export const convShader = (op, outs, corner = [-(op.kernel >> 1), -(op.kernel >> 1)]) => `
layout(std140) uniform Weights { mat4 w[${op.kernel ** 2 * vectors(op.in) * outs}]; };
uniform vec4 table[${outs}];
void main() {
  ${op.near === undefined ? "" : `if (left_out(${op.near})) discard;`}
  int i = 0;
  ${each(outs, (i) => `vec4 s${i} = table[${i}]${
    op.add ? ` + at(to, cell, ${op.offset / 4} + first + ${i})` : ""};`)}
  for (int n = 0; n < ${op.kernel ** 2}; n++) {
    ivec2 p = wrap(cell + ${op.dilation} * (ivec2(n % ${op.kernel}, n / ${op.kernel}) + ivec2(${corner[1]}, ${corner[0]})));
    for (int l = 0; l < ${vectors(op.in)}; l++, i += ${outs}) {
      vec4 v = at(from, p, l);
      ${each(outs, (i) => `s${i} += w[i + ${i}] * v;`)}
    }
  }
  ${each(outs, (i) => `o[${i}] = max(s${i}, s${i} * ${number(op.slope)});`)}
}`;

/** `layers`: of what is filtered. */
export const bankShader = (op, outs, layers) => `
uniform vec4 table[${vectors(9 * op.filters)}];
vec4 layer(int l) {
  vec4 sum = vec4(0);
  int k = l / ${layers} * 9;
  square(1) {
    if (k < ${9 * op.filters}) sum += table[k >> 2][k & 3] * at(from, wrap(cell + ivec2(x, y)), l % ${layers});
    k++;
  }
  return sum;
}
${main(outs, op.near)}`;

export const attendShader = (op, outs) => {
  const [layers, neighbours] = [op.size / 4, op.kernel ** 2];
  return `
uniform vec4 table[${vectors(neighbours)}];
void main() {
  if (left_out(${op.near})) discard;
  int head = first / ${layers} * ${layers}, n = 0;
  float weight[${neighbours}], most = -1e30, total = 0.;
  square(${op.kernel >> 1}) {
    ivec2 p = wrap(cell + ivec2(x, y));
    vec4 sum = vec4(0);
    for (int l = head; l < head + ${layers}; l++)
      sum += at(from, cell, l) * at(from, p, ${op.heads * layers} + l);
    weight[n] = dot(sum, vec4(1)) * ${number(op.scale)} + table[n >> 2][n & 3];
    most = max(most, weight[n]);
    n++;
  }
  ${each(outs, (i) => `vec4 s${i} = vec4(0);`)}
  n = 0;
  square(${op.kernel >> 1}) {
    ivec2 p = wrap(cell + ivec2(x, y));
    float e = exp(weight[n++] - most);
    total += e;
    ${each(outs, (i) => `s${i} += e * at(from, p, ${2 * op.heads * layers} + first + ${i});`)}
  }
  ${each(outs, (i) => `o[${i}] = s${i} / total;`)}
}`;
};

export const normShader = (op, outs) => {
  const layers = vectors(op.channels);
  const x = (l) => `at(from, cell, ${op.offset / 4} + ${l})`;
  return `
uniform vec4 table[${2 * (layers + outs)}];
float mean, scale;
vec4 layer(int l) {
  vec4 v = (${x("l")} - mean) * scale * table[l] + table[${layers + outs} + l];
  return max(v, v * ${number(op.slope)});
}
${main(outs, op.near, `
  vec4 sum = vec4(0), squares = vec4(0);
  for (int l = 0; l < ${layers}; l++) sum += ${x("l")};
  mean = dot(sum, vec4(1)) / ${number(op.channels)};
  for (int l = 0; l < ${layers}; l++) {
    vec4 v = (${x("l")} - mean) * vec4(within(${op.channels}, l));
    squares += v * v;
  }
  scale = inversesqrt(dot(squares, vec4(1)) / ${number(op.channels)} + ${number(op.eps)});`)}`;
};

export const geluShader = (op, outs) => `
vec4 layer(int l) {
  vec4 v = at(from, cell, l), z = abs(v) * 0.70710678118654752, t = 1. / (1. + 0.3275911 * z);
  vec4 y = (((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592;
  return v * 0.5 * (1. + sign(v) * (1. - y * t * exp(-z * z)));
}
${main(outs, op.near)}`;

/** `layers`: of what is gathered; `to` says where. */
export const gatherShader = (op, outs, layers) => `
float given(int k) { return at(to, cell, k >> 2)[k & 3]; }
vec4 layer(int l) {
  int tap = l / ${layers}, q = l % ${layers};
  ivec2 place = cell + ivec2(tap % ${op.kernel}, tap / ${op.kernel}) - ${op.kernel >> 1};
  vec2 point = vec2(place) + vec2(given(2 * tap + 1), given(2 * tap)), b = fract(point), a = 1. - b;
  vec2 corner = floor(point);
  ivec2 p = wrap(ivec2(corner - vec2(SIZE) * floor(corner / vec2(SIZE)))), r = wrap(p + 1);
  vec4 sum = a.y * (a.x * at(from, p, q) + b.x * at(from, ivec2(r.x, p.y), q)) +
    b.y * (a.x * at(from, ivec2(p.x, r.y), q) + b.x * at(from, r, q));
  return sum * 2. / (1. + exp(-given(${2 * op.kernel ** 2} + tap)));
}
${main(outs, op.near)}`;

// ---------------------------------------------------------------- decoder: no cell is left out

/** From four parts of `layers` on the small grid, one for each parity of row and column. */
export const weaveShader = (outs, layers) => `
vec4 layer(int l) { return at(from, cell / 2, ((cell.y & 1) * 2 + (cell.x & 1)) * ${layers} + l); }
${main(outs)}`;

/** A row's mean, and in the layers from `layers` on the sum of its squares apart from that. */
export const rowsShader = (width, layers) => `
void main() {
  int l = first % ${layers};
  vec4 mean = vec4(0), apart = vec4(0);
  for (int x = 0; x < ${width}; x++) mean += at(from, ivec2(x, cell.y), l);
  mean /= ${number(width)};
  for (int x = 0; x < ${width}; x++) {
    vec4 v = at(from, ivec2(x, cell.y), l) - mean;
    apart += v * v;
  }
  o[0] = first < ${layers} ? mean : apart;
}`;

/** From rows to what a channel is multiplied by, and, from `layers` on, what is added then. */
export const groupsShader = (op, { height, width }, layers) => {
  const size = op.channels / op.groups;
  return `
uniform vec4 table[${2 * layers}];
float row(int y, int c, int part) { return at(from, ivec2(0, y), part + (c >> 2))[c & 3]; }
void main() {
  int l = first % ${layers};
  for (int k = 0; k < 4; k++) {
    int group = (4 * l + k) / ${size} * ${size};
    float mean = 0., apart = 0.;
    for (int c = group; c < group + ${size}; c++)
      for (int y = 0; y < ${height}; y++) mean += row(y, c, 0);
    mean /= ${number(size * height)};
    for (int c = group; c < group + ${size}; c++)
      for (int y = 0; y < ${height}; y++) {
        float away = row(y, c, 0) - mean;
        apart += row(y, c, ${layers}) + ${number(width)} * away * away;
      }
    float times = table[l][k] * inversesqrt(apart / ${number(size * height * width)} + ${number(op.eps)});
    o[0][k] = first < ${layers} ? times : table[${layers} + l][k] - mean * times;
  }
}`;
};

/** Each channel times a number, plus another; LeakyReLU. */
export const scaleShader = (op, outs, layers) => `
vec4 layer(int l) {
  vec4 v = at(from, cell, l) * at(to, ivec2(0), l) + at(to, ivec2(0), ${layers} + l);
  return max(v, v * ${number(op.slope)});
}
${main(outs)}`;

/**
 * A local decoder at a pixel, as in points.c; `outs` layers of what the second one makes are summed up in
 * each drawing, on top of those before (to). `from`: of each cell, what the first layer makes of it. For
 * each of the rows and columns of pixels: the two cells around, how much of the second one, and what is
 * added for its place. The table: biases of the second layer, the last layer, its bias.
 */
export const pointsShader = (layers, outs) => `
uniform sampler2DArray rows, columns;
uniform vec4 table[${5 * outs + 1}];
layout(std140) uniform Weights { mat4 w[${layers * outs}]; };
vec4 wave(vec4 x) {
  vec4 v = 0.25 - abs(x - round(x)), s = v * v;
  return v * (((-70.9934310913086 * s + 81.34076690673828) * s - 41.33714294433594) * s + 6.283164024353027);
}
void main() {
  vec4 down = at(rows, ivec2(cell.y, 0), 0), right = at(columns, ivec2(cell.x, 0), 0);
  ivec2 p = ivec2(right.x, down.x), q = ivec2(right.y, down.y);
  ${each(layers, (l) => `vec4 a${l} = wave(at(rows, ivec2(cell.y, ${1 + l}), 0) + at(columns, ivec2(cell.x, ${1 + l}), 0) +
    mix(mix(at(from, p, ${l}), at(from, ivec2(p.x, q.y), ${l}), down.z),
      mix(at(from, ivec2(q.x, p.y), ${l}), at(from, q, ${l}), down.z), right.z));`)}
  o[0] = first > 0 ? at(to, cell, 0) : table[${5 * outs}];
  for (int i = 0; i < ${outs}; i++) {
    vec4 s = table[i];
    ${each(layers, (l) => `s += w[${l * outs} + i] * a${l};`)}
    s = wave(s);
    for (int k = 0; k < 4; k++) o[0] += s[k] * table[${outs} + 4 * i + k];
  }
}`;
