in vec2 uv;
uniform sampler2D image;
uniform float share;
out vec4 light;

void main() {
    light = texture(image, uv) * share;
}
