in vec3 point;
uniform mat4 view;

void main() {
    gl_Position = view * vec4(point, 1.0);
}
