//! The drawing itself, on WebGL2 through wgpu. The only place that knows either.

use crate::geometry::Instance;
use crate::view::View;
use std::sync::{Arc, Mutex, PoisonError};
use wasm_bindgen::JsCast;
use web_sys::{HtmlCanvasElement, WebGl2RenderingContext};

/// Depth of the picture.
const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth24Plus;
/// Samples of a pixel, where the browser can.
const SAMPLES: u32 = 4;
/// Floats of a corner of a cube, of a box, and of the projection.
const CORNER_FLOATS: u64 = 6;
const INSTANCE_FLOATS: u64 = 20;
const PROJECTION_BYTES: u64 = 64;
const FLOAT_BYTES: u64 = 4;
/// Corners of the triangles of a cube.
const CUBE_CORNERS: u32 = 36;

const NO_WEBGL2: &str = "this browser has no WebGL2, or it is switched off";

/// A canvas that boxes are drawn on.
pub(crate) struct Drawing {
    surface: wgpu::Surface<'static>,
    device: wgpu::Device,
    queue: wgpu::Queue,
    config: wgpu::SurfaceConfiguration,
    samples: u32,
    most_pixels: u32,
    pipeline: wgpu::RenderPipeline,
    projection: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    cube: wgpu::Buffer,
    instances: wgpu::Buffer,
    count: u32,
    targets: Targets,
    fault: Arc<Mutex<Option<String>>>,
}

/// What a frame is drawn into before it is shown.
struct Targets {
    /// With several samples; none where a pixel has one.
    colour: Option<wgpu::TextureView>,
    depth: wgpu::TextureView,
}

impl Drawing {
    /// Takes a canvas of a size in pixels; why it can't, in words.
    pub(crate) async fn new(canvas: &HtmlCanvasElement, size: (u32, u32)) -> Result<Self, String> {
        has_graphics(canvas)?;
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::GL,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let surface =
            instance.create_surface(wgpu::SurfaceTarget::Canvas(canvas.clone())).map_err(|_| NO_WEBGL2.to_owned())?;
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions {
                compatible_surface: Some(&surface),
                ..wgpu::RequestAdapterOptions::default()
            })
            .await
            .map_err(|error| format!("this browser's graphics can't be used: {error}"))?;
        let limits = wgpu::Limits::downlevel_webgl2_defaults().using_resolution(adapter.limits());
        let most_pixels = limits.max_texture_dimension_2d;
        let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..wgpu::DeviceDescriptor::default() };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| format!("this browser's graphics can't be used: {error}"))?;
        let fault = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&fault);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }));
        let mut config = surface
            .get_default_config(&adapter, size.0.clamp(1, most_pixels), size.1.clamp(1, most_pixels))
            .ok_or("this browser's graphics can't draw on a page")?;
        // Colours come as the screen has them, so they are not to be changed on their way to it.
        let formats = surface.get_capabilities(&adapter).formats;
        config.format = formats.into_iter().find(|format| !format.is_srgb()).unwrap_or(config.format);
        surface.configure(&device, &config);
        let can = |format: wgpu::TextureFormat| {
            adapter.get_texture_format_features(format).flags.sample_count_supported(SAMPLES)
        };
        let samples = if can(config.format) && can(DEPTH) { SAMPLES } else { 1 };
        let drawing = Self::with(surface, device, queue, config, (samples, most_pixels), fault);
        drawing.sound().map(|()| drawing)
    }

    fn with(
        surface: wgpu::Surface<'static>,
        device: wgpu::Device,
        queue: wgpu::Queue,
        config: wgpu::SurfaceConfiguration,
        (samples, most_pixels): (u32, u32),
        fault: Arc<Mutex<Option<String>>>,
    ) -> Self {
        let buffer = |label, size, usage| {
            let usage = usage | wgpu::BufferUsages::COPY_DST;
            device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
        };
        let projection = buffer("projection", PROJECTION_BYTES, wgpu::BufferUsages::UNIFORM);
        let corners = cube();
        let cube = buffer("cube", corners.len() as u64, wgpu::BufferUsages::VERTEX);
        queue.write_buffer(&cube, 0, &corners);
        let instances = buffer("boxes", INSTANCE_FLOATS * FLOAT_BYTES, wgpu::BufferUsages::VERTEX);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("hall"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            }],
        });
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("hall"),
            layout: &layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: projection.as_entire_binding() }],
        });
        let pipeline = pipeline(&device, &layout, config.format, samples);
        let targets = targets(&device, &config, samples);
        Self {
            surface,
            device,
            queue,
            config,
            samples,
            most_pixels,
            pipeline,
            projection,
            bind_group,
            cube,
            instances,
            count: 0,
            targets,
            fault,
        }
    }

    /// Takes other boxes.
    pub(crate) fn take(&mut self, boxes: &[Instance]) {
        let bytes: Vec<u8> = boxes.iter().flat_map(floats).flat_map(f32::to_le_bytes).collect();
        if bytes.len() as u64 > self.instances.size() {
            self.instances = self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("boxes"),
                size: bytes.len() as u64,
                usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
        }
        self.queue.write_buffer(&self.instances, 0, &bytes);
        self.count = boxes.len() as u32;
    }

    /// Takes another size in pixels; true where it is another.
    pub(crate) fn resize(&mut self, (width, height): (u32, u32)) -> bool {
        let (width, height) = (width.clamp(1, self.most_pixels), height.clamp(1, self.most_pixels));
        if (width, height) == (self.config.width, self.config.height) {
            return false;
        }
        (self.config.width, self.config.height) = (width, height);
        self.surface.configure(&self.device, &self.config);
        self.targets = targets(&self.device, &self.config, self.samples);
        true
    }

    /// Draws what a view shows; why it can't, in words.
    pub(crate) fn draw(&mut self, view: &View) -> Result<(), String> {
        let projection: Vec<u8> =
            view.projection().into_iter().flatten().flat_map(|value| (value as f32).to_le_bytes()).collect();
        self.queue.write_buffer(&self.projection, 0, &projection);
        let texture = match self.surface.get_current_texture() {
            wgpu::CurrentSurfaceTexture::Success(texture) | wgpu::CurrentSurfaceTexture::Suboptimal(texture) => texture,
            // Nobody sees it, or it comes a moment later: the next change draws it.
            wgpu::CurrentSurfaceTexture::Timeout | wgpu::CurrentSurfaceTexture::Occluded => return Ok(()),
            wgpu::CurrentSurfaceTexture::Outdated
            | wgpu::CurrentSurfaceTexture::Lost
            | wgpu::CurrentSurfaceTexture::Validation => {
                return Err("the browser took the graphics back".into());
            }
        };
        let shown = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.pass(&mut encoder, &shown, view.ground());
        self.queue.submit([encoder.finish()]);
        self.queue.present(texture);
        self.sound()
    }

    fn pass(&self, encoder: &mut wgpu::CommandEncoder, shown: &wgpu::TextureView, ground: [f32; 4]) {
        let [r, g, b, a] = ground.map(f64::from);
        let (view, resolve_target) = match &self.targets.colour {
            Some(several) => (several, Some(shown)),
            None => (shown, None),
        };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("hall"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view,
                depth_slice: None,
                resolve_target,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a }),
                    store: wgpu::StoreOp::Store,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &self.targets.depth,
                depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(1.0), store: wgpu::StoreOp::Discard }),
                stencil_ops: None,
            }),
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.set_vertex_buffer(0, self.cube.slice(..));
        pass.set_vertex_buffer(1, self.instances.slice(..));
        pass.draw(0..CUBE_CORNERS, 0..self.count);
    }

    /// Whether nothing went wrong since it was last asked.
    fn sound(&self) -> Result<(), String> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), |fault| Err(format!("the drawing failed: {fault}")))
    }
}

/// Whether a canvas has WebGL2 that works: wgpu asks a context that is lost already for what it never gives.
fn has_graphics(canvas: &HtmlCanvasElement) -> Result<(), String> {
    // Asked for just as wgpu does, which is then given the same.
    let options = js_sys::Object::new();
    let set = js_sys::Reflect::set(&options, &"antialias".into(), &false.into());
    let found = canvas.get_context_with_context_options("webgl2", &options).ok().flatten().filter(|_| set.is_ok());
    let context = found.and_then(|found| found.dyn_into::<WebGl2RenderingContext>().ok()).ok_or(NO_WEBGL2)?;
    if context.is_context_lost() { Err("the browser took the graphics back".into()) } else { Ok(()) }
}

fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    format: wgpu::TextureFormat,
    samples: u32,
) -> wgpu::RenderPipeline {
    let shader = device.create_shader_module(wgpu::include_wgsl!("boxes.wgsl"));
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        bind_group_layouts: &[Some(layout)],
        ..wgpu::PipelineLayoutDescriptor::default()
    });
    let corner = wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3];
    let instance = wgpu::vertex_attr_array![
        2 => Float32x3, 3 => Float32x3, 4 => Float32x4, 5 => Float32x4, 6 => Float32x4, 7 => Float32x2
    ];
    let buffers = [
        Some(wgpu::VertexBufferLayout {
            array_stride: CORNER_FLOATS * FLOAT_BYTES,
            step_mode: wgpu::VertexStepMode::Vertex,
            attributes: &corner,
        }),
        Some(wgpu::VertexBufferLayout {
            array_stride: INSTANCE_FLOATS * FLOAT_BYTES,
            step_mode: wgpu::VertexStepMode::Instance,
            attributes: &instance,
        }),
    ];
    // Frames are seen through.
    let blend = Some(wgpu::BlendState::ALPHA_BLENDING);
    let target = wgpu::ColorTargetState { format, blend, write_mask: wgpu::ColorWrites::ALL };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("boxes"),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: &shader,
            entry_point: Some("place"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &buffers,
        },
        primitive: wgpu::PrimitiveState { cull_mode: Some(wgpu::Face::Back), ..wgpu::PrimitiveState::default() },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Less),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState { count: samples, ..wgpu::MultisampleState::default() },
        fragment: Some(wgpu::FragmentState {
            module: &shader,
            entry_point: Some("colour"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(target)],
        }),
        multiview_mask: None,
        cache: None,
    })
}

fn targets(device: &wgpu::Device, config: &wgpu::SurfaceConfiguration, samples: u32) -> Targets {
    let view = |label, format| {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size: wgpu::Extent3d { width: config.width, height: config.height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: samples,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        texture.create_view(&wgpu::TextureViewDescriptor::default())
    };
    Targets { colour: (samples > 1).then(|| view("colour", config.format)), depth: view("depth", DEPTH) }
}

/// A box in the order of the shader's places.
fn floats(instance: &Instance) -> [f32; INSTANCE_FLOATS as usize] {
    let Instance { low, size, colour, edge, hatch, style } = instance;
    let mut all = low.iter().chain(size).chain(colour).chain(edge).chain(hatch).chain(style);
    std::array::from_fn(|_| all.next().copied().unwrap_or_default())
}

/// The corners of the triangles of a cube from 0 to 1, each with where its face looks, counter-clockwise from outside.
fn cube() -> Vec<u8> {
    let mut bytes = Vec::new();
    for axis in 0..3 {
        for side in [0.0_f32, 1.0] {
            let mut square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0_f32)];
            if side == 0.0 {
                square.reverse();
            }
            for (u, v) in square {
                let (mut place, mut normal) = ([0.0; 3], [0.0; 3]);
                place[axis] = side;
                place[(axis + 1) % 3] = u;
                place[(axis + 2) % 3] = v;
                normal[axis] = 2.0 * side - 1.0;
                bytes.extend(place.into_iter().chain(normal).flat_map(f32::to_le_bytes));
            }
        }
    }
    bytes
}
