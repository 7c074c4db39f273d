// A vertex of petals or greens, seen by a camera or a light.
in vec3 point;
in vec3 normal;
in vec4 paint;   // petals: u, v, number, layer; greens: u, v, kind, 0
in vec3 colour;  // greens' own
uniform mat4 view;
out vec3 at;
out vec3 facing;
out vec4 painted;
out vec3 tinted;

void main() {
    at = point;
    facing = normal;
    painted = paint;
    tinted = colour;
    gl_Position = view * vec4(point, 1.0);
}
